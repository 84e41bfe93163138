"""What gates can decide with the samples of a suite, as far as an earlier run or a baseline tells.

A gate weighs a value against a bound. How far the truth has to lie from the bound for a decision in 4 of 5 runs follows
from the standard error, which an earlier run of the same models gives and which shrinks with the root of the samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from scipy.stats import t

from evalsuite.compare.baseline import Baseline
from evalsuite.compare.bounds import bounds_of
from evalsuite.compare.contrast import RATIO_FAMILIES, Incomparable, unchanged
from evalsuite.compare.looks import look_of, looks_of
from evalsuite.compare.sentences import PASS_LEVEL, Levels, gate_line
from evalsuite.compare.sides import Sides, absent_baseline, declared_candidates
from evalsuite.compare.trial import Trial, put_to_test
from evalsuite.records import Measurement, RunRecord
from evalsuite.stats.power import POWER, samples_needed
from evalsuite.suite.schema import MARGIN_NEEDED, GateSpec, GateTest, Suite


@dataclass(frozen=True)
class GatePower:
    """What one gate can decide.

    Attributes:
        gate: the gate in one line.
        scale: ``difference`` in the metric's unit, or ``ratio``.
        unit: of the metric, for differences.
        effect: how far the truth must lie from the bound for a decision in 4 of 5 runs: a difference, or a factor above
            1; None where it is not known.
        room: how far from the bound a candidate is that equals the other side (of a limit: the value last seen); a
            difference or a factor; None where there is no margin to compare with.
        needed: samples with which the room would be enough; None where it is unknown or no number would do.
        source: where the standard error comes from; "" where there is none.
        unknown: why the effect is not known, or "".
        test: of the gate.
    """

    gate: str
    test: GateTest
    scale: Literal["difference", "ratio"] = "difference"
    unit: str = ""
    effect: float | None = None
    room: float | None = None
    needed: int | None = None
    source: str = ""
    unknown: str = ""

    @property
    def decidable(self) -> bool | None:
        """Whether the room reaches the effect; None where one of them is not known."""
        return None if self.effect is None or self.room is None else self.room >= self.effect

    @property
    def hopeless(self) -> bool:
        """Whether even a candidate that equals the other side could not be told from one outside the margin."""
        return self.test in MARGIN_NEEDED and self.decidable is False


def power_of_gates(
    suite: Suite, records: Mapping[str, RunRecord], baselines: Mapping[str, Baseline]
) -> list[GatePower]:
    """What each gate of a suite can decide, for every candidate and target.

    Args:
        suite: with the number of samples that is planned; where it extends, that and the levels of the last look count.
        records: earlier runs by name, in the order of preference.
        baselines: of the suite, by name; asked after the runs.
    """
    sources = {**records, **{f"baseline:{name}": _as_record(kept, suite) for name, kept in baselines.items()}}
    gates = [(gate, who) for gate in suite.gates for who in declared_candidates(gate, suite)]
    last = looks_of(suite)[-1] if look_of(suite).of > 1 else look_of(suite)
    levels = Levels(suite.alpha * last.share / max(len(gates), 1), PASS_LEVEL * last.share)
    return [_power(gate, who, suite, sources, baselines, levels, last.num_samples) for gate, who in gates]


def _as_record(baseline: Baseline, suite: Suite) -> RunRecord:
    """A baseline seen as the run that it was saved from; what it was run with is known by its protocols alone."""
    return RunRecord(
        suite=suite.model_dump(mode="json"),
        suite_hash=baseline.suite_hash,
        environment=baseline.environment,
        provenance={},
        measurements=baseline.measurements,
    )


def _power(
    gate: GateSpec,
    who: str,
    suite: Suite,
    sources: Mapping[str, RunRecord],
    baselines: Mapping[str, Baseline],
    levels: Levels,
    planned: int,
) -> GatePower:
    """From the first source that knows the gate's cells."""
    line = gate_line(gate, who)
    if absent := absent_baseline(gate, baselines):
        return GatePower(line, gate.test, unknown=absent)
    why = "no earlier run of this suite and no baseline has its cells"
    for name, record in sources.items():
        if not _alike(record, suite, who):
            continue
        sides = Sides(gate, suite, record, baselines)
        trials, obstacles = _trials(gate, sides, who)
        if trials:
            level = levels.of_fail if gate.test == "no_regression" else levels.of_pass
            found = [_of_trial(line, trial, level, _samples(record, trial), planned) for trial in trials]
            return replace(max(found, key=lambda power: power.effect or 0.0), source=name)
        why = obstacles[0] if obstacles else why
    return GatePower(line, gate.test, unknown=why)


def _alike(record: RunRecord, suite: Suite, who: str) -> bool:
    """Whether a run measured the candidate as the suite now has it."""
    now, model = suite.model_dump(mode="json"), who.partition("@")[0]
    sides = [(run.get("reference"), run.get("models", {}).get(model)) for run in (record.suite, now)]
    return bool(sides[0] == sides[1])


def _trials(gate: GateSpec, sides: Sides, who: str) -> tuple[list[Trial], list[str]]:
    """The gate on the run's own numbers, slice by slice, and what prevented it."""
    trials, obstacles = [], []
    for cell in sides.cells_of(who):
        against = sides.against(cell)
        if not isinstance(cell, Measurement) or not (against is None or isinstance(against, Measurement)):
            continue
        if against is not None and unchanged(cell, against):
            obstacles.append("what is known has the same images on both sides")
            continue
        try:
            trials.append(put_to_test(gate, cell, against, sides.common))
        except Incomparable as reason:
            obstacles.append(str(reason))
    return trials, obstacles


def _samples(record: RunRecord, trial: Trial) -> int | None:
    """How many samples the run had in all; None for timings, whose number does not depend on it."""
    if trial.candidate.family in RATIO_FAMILIES:
        return None
    return max(m.n for m in record.measurements if m.name == trial.candidate.name)


def _of_trial(line: str, trial: Trial, level: float, samples: int | None, planned: int) -> GatePower:
    """From the numbers of a run of so many samples, for another number that is planned."""
    found = trial.binding.found
    error, freedom = found.evidence.standard_error, found.evidence.degrees_of_freedom
    if error is None or freedom is None:
        return GatePower(line, trial.gate.test, unknown="it has no error: all processes have to agree")
    # A candidate in the middle of two bounds has to be told from both at once.
    power = (1 + POWER) / 2 if trial.gate.test == "equivalence" else POWER
    growth = planned / samples if samples else 1.0
    effect = float(t.ppf(1 - level, freedom) + t.ppf(power, freedom)) * error / math.sqrt(growth)
    room = _room(trial)
    needed = samples_needed(found.n, error, room, level, degrees_of_freedom=freedom, power=power)
    needed *= samples / found.n if samples else 1.0
    logarithmic = trial.candidate.family in RATIO_FAMILIES
    shown = math.exp if logarithmic else float
    return GatePower(
        gate=line,
        test=trial.gate.test,
        scale="ratio" if logarithmic else "difference",
        unit="" if logarithmic else trial.candidate.unit,
        effect=shown(effect),
        room=shown(room) if room else None,
        needed=math.ceil(needed) if math.isfinite(needed) else None,
    )


def _room(trial: Trial) -> float:
    """From equality to the nearest bound, or from the value last seen to the limit; logarithmic for ratios."""
    bounds = bounds_of(trial.gate, trial.candidate)
    if trial.against is None:
        return min(trial.binding.found.evidence.distance(bound.offset) for bound in bounds)
    if trial.candidate.family in RATIO_FAMILIES:
        return min(abs(math.log(bound.factor)) for bound in bounds)
    other = abs(trial.against.value)
    return min(abs(bound.offset) + abs(bound.factor - 1) * other for bound in bounds)
