"""What a gate asks and how it ended, in words."""

from __future__ import annotations

import math
from typing import NamedTuple

from evalsuite.compare.contrast import unchanged
from evalsuite.compare.trial import Trial
from evalsuite.compare.wording import bare, between, chance, quantity
from evalsuite.records import Family, Interval, Measurement
from evalsuite.stats.power import minimum_detectable_effect, samples_needed
from evalsuite.suite.schema import GateSpec, Margin

PASS_LEVEL = 0.05
"""Level of ``p_pass``; not corrected for several gates, since all must pass."""


class Levels(NamedTuple):
    """At which p-values one gate is decided: ``of_fail`` is what falls to it of the false-alarm rate."""

    of_fail: float
    of_pass: float


MOST_SAMPLES = 10_000_000
"""More than this is no advice."""


def gate_line(gate: GateSpec, who: str) -> str:
    """The gate in one line: ``fid of student-4step@cpu against teacher: non_inferiority, margin 100%``."""
    place = "" if gate.slice == "all" else f" on {gate.slice}"
    against = f" against {gate.against}" if gate.against else ""
    margin = f", margin {_share(gate.margin)}" if gate.margin else ""
    limits = [f", {name} {bare(value)}" for name, value in (("min", gate.min), ("max", gate.max)) if value is not None]
    return f"{gate.metric} of {who}{place}{against}: {gate.test}{margin}{''.join(limits)}"


def reason_of(outcome: str, trial: Trial, levels: Levels) -> str:
    """One sentence: the numbers, what follows from them, and what would decide where nothing does.

    Args:
        outcome: pass, fail or inconclusive.
        trial: what was tested.
        levels: at which this gate is decided.
    """
    sentence = f"{_numbers(trial)}: {_conclusion(outcome, trial)}"
    if outcome == "inconclusive":
        sentence += _advice(trial, levels)
    elif outcome == "pass" and trial.gate.test == "no_regression":
        sentence += _sensitivity(trial)
    return f"{sentence}."


def _numbers(trial: Trial) -> str:
    """``fid is 21.3 against 14.7, a difference of 6.5 (95 % interval 5.9 to 7.1)``."""
    candidate, against = trial.candidate, trial.against
    place = "" if candidate.slice == "all" else f" on {candidate.slice}"
    if trial.slices > 1:
        place += f", the worst of {trial.slices} slices,"
    own = f"{candidate.name} of {candidate.model}{place} is {quantity(candidate.value, candidate.unit)}"
    if against is None:
        kind = ", the plain estimate at this number of samples" if candidate.family == Family.FRECHET else ""
        return f"{own}{kind}{_spread(candidate)}"
    found = trial.binding.found
    low, high = found.evidence.interval(0.95)
    interval = Interval(low=low, high=high, level=0.95, method=found.evidence.method)
    other = f"against {quantity(against.value, against.unit)}"
    if found.scale == "ratio":
        return f"{own} {other}, {quantity(found.evidence.value)} times as much ({between(interval)})"
    value, factor = found.evidence.value, trial.binding.bound.factor
    side = "more" if value > 0 else "less"
    difference = (
        f"the difference is {quantity(value, candidate.unit)}"
        if factor == 1
        else f"{quantity(abs(value), candidate.unit)} {side} than the allowed {factor:.4g} times that"
    )
    corrected = ", bias-corrected" if candidate.family == Family.FRECHET else ""
    return f"{own} {other}, {difference} ({between(interval, candidate.unit)}{corrected})"


def _spread(measurement: Measurement) -> str:
    return "" if measurement.interval is None else f" ({between(measurement.interval, measurement.unit)})"


def _conclusion(outcome: str, trial: Trial) -> str:
    claim = _claim(trial)
    if outcome == "fail":
        return f"it is not {claim}{_certainty(trial, trial.p_fail)}"
    if outcome == "inconclusive":
        return f"whether it is {claim} is open"
    if trial.gate.test == "no_regression":
        return f"it is not shown to be worse{_by(trial.gate, 'more')}"
    return f"it is {claim}{_certainty(trial, trial.p_pass)}"


def _claim(trial: Trial) -> str:
    """What a gate wants to be shown, after "it is"."""
    gate = trial.gate
    if gate.test == "limit":
        ends = (("at least", gate.min), ("at most", gate.max))
        return " and ".join(f"{word} {quantity(end, trial.candidate.unit)}" for word, end in ends if end is not None)
    if gate.test == "superiority":
        return f"better{_by(gate, 'more')}"
    if gate.test == "equivalence":
        return f"equal{_within(gate)}"
    return f"as good{_within(gate)}"


def _within(gate: GateSpec) -> str:
    return f" within the margin of {_share(gate.margin)}" if gate.margin else ""


def _by(gate: GateSpec, word: str) -> str:
    return f" by {word} than the margin of {_share(gate.margin)}" if gate.margin else ""


def _share(margin: Margin) -> str:
    """``5%``, ``0.3`` or ``ratio 8``."""
    if margin.relative is not None:
        return f"{100 * margin.relative:g}%"
    if margin.ratio is not None:
        return f"ratio {margin.ratio:g}"
    assert margin.absolute is not None
    return bare(margin.absolute)


def _certainty(trial: Trial, p_value: float) -> str:
    if trial.candidate.family == Family.COUNT:
        return ""
    return ", in all processes" if trial.exact else f" ({chance(p_value)})"


def _advice(trial: Trial, levels: Levels) -> str:
    """How many samples or rounds would decide, if the estimate stays what it is."""
    found, bound = trial.binding.found, trial.binding.bound
    if found.evidence.standard_error is None:
        return ", since the processes disagree"
    limit = bound.factor if found.scale == "ratio" else bound.offset
    kept = trial.binding.p_pass < trial.binding.p_fail
    distance = found.evidence.distance(limit)
    level = levels.of_pass if kept else levels.of_fail
    freedom = found.evidence.degrees_of_freedom or math.inf
    needed = samples_needed(found.n, found.evidence.standard_error, distance, level, degrees_of_freedom=freedom)
    unit = "rounds" if trial.candidate.family == Family.LATENCY else "samples"
    if needed > MOST_SAMPLES:
        return f"; it lies too close to the bound for any number of {unit} to decide"
    if needed <= found.n:
        return f"; more {unit} would decide"
    return f"; about {math.ceil(needed)} {unit} would decide, not {found.n}"


def _sensitivity(trial: Trial) -> str:
    """What would have been found: the absence of a finding says as much as the search was sharp."""
    if trial.against is not None and unchanged(trial.candidate, trial.against):
        return "; its images are the same"
    found = trial.binding.found
    error, freedom = found.evidence.standard_error, found.evidence.degrees_of_freedom
    if error is None or freedom is None:
        return ""
    effect = minimum_detectable_effect(error, freedom)
    change = f"a factor of {math.exp(effect):.3g}" if found.scale == "ratio" else quantity(effect, trial.candidate.unit)
    return f"; a change of {change} would have been found in 4 of 5 runs"
