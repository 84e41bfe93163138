"""Gates: does a candidate keep its bounds? Judged by tests, with a false-alarm rate for the whole suite.

Each test is one bound, ``candidate <= factor * against + offset``, or two for equivalence. ``p_fail`` tests "it is
within", ``p_pass`` tests "it is outside". A gate fails if Holm's correction over all gates of the suite leaves
``p_fail <= alpha``, and passes if ``p_pass <= 0.05``; the printed interval never decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.compare.baseline import Baseline
from evalsuite.compare.difference import difference, incomparable
from evalsuite.compare.evidence import TIMED, Evidence, evidence_of
from evalsuite.compare.sentences import PASS_LEVEL, gate_line, reason_of
from evalsuite.records import Cell, Comparison, Identity, Measurement, Missing, RunRecord, Verdict
from evalsuite.stats.multiple import holm
from evalsuite.suite.schema import GateSpec, Margin, Suite

PASS, REGRESSION, CELLS_FAILED, INCONCLUSIVE = 0, 1, 4, 3


@dataclass(frozen=True)
class Bound:
    """``candidate <= factor * against + offset`` (side ``upper``), or ``>=`` (``lower``)."""

    side: Literal["upper", "lower"]
    factor: float
    offset: float


@dataclass(frozen=True)
class Chances:
    """p-values of "within the bounds" and of "outside"."""

    p_fail: float
    p_pass: float


@dataclass(frozen=True)
class Trial:
    """A gate on one candidate and target: its p-values, or why there are none."""

    gate: GateSpec
    line: str
    candidate: Measurement | None = None
    against: Measurement | None = None
    comparison: Comparison | None = None
    chances: Chances | None = None
    absent: Literal["missing", "incomparable"] | None = None
    why: str = ""


def judge(record: RunRecord, baselines: Mapping[str, Baseline]) -> list[Verdict]:
    """A verdict for each gate of the record's suite, candidate and target.

    Args:
        record: the run.
        baselines: by name, for gates ``against: baseline:NAME``.
    """
    suite = Suite.model_validate(record.suite)
    trials = [trial for gate in suite.gates for trial in _trials(gate, suite, record, baselines)]
    tested = [trial for trial in trials if trial.chances is not None]
    corrected = iter(holm([trial.chances.p_fail for trial in tested if trial.chances is not None]))
    return [_verdict(trial, next(corrected) if trial.chances else None, suite.alpha) for trial in trials]


def exit_code(record: RunRecord, verdicts: Sequence[Verdict]) -> int:
    """0 pass, 1 regression, 3 inconclusive, 4 failed cells or a gate without its numbers; the first of 1, 4, 3, 0."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if "fail" in outcomes:
        return REGRESSION
    if outcomes & {"missing", "incomparable"} or any(cell.kind == "failed" for cell in record.missing):
        return CELLS_FAILED
    return INCONCLUSIVE if "inconclusive" in outcomes else PASS


def _trials(gate: GateSpec, suite: Suite, record: RunRecord, baselines: Mapping[str, Baseline]) -> Iterator[Trial]:
    model, _, candidate_target = gate.candidate.partition("@")
    students = [name for name, spec in suite.models.items() if spec.role == "student"]
    ran = {cell.case_key.partition("/")[0] for cell in [*record.measurements, *record.missing]}
    for name in students if model == "*" else [model]:
        for target in [candidate_target or gate.target] if candidate_target or gate.target else suite.targets:
            if f"{name}@{target}" in ran:  # a run of part of the suite judges that part
                yield _trial(gate, f"{name}@{target}", _Sides(gate, suite, record, baselines))


@dataclass(frozen=True)
class _Sides:
    """Finds what a gate compares."""

    gate: GateSpec
    suite: Suite
    record: RunRecord
    baselines: Mapping[str, Baseline]

    def candidates(self, who: str) -> list[Measurement | Missing]:
        """The candidate's cells: one, or one a slice for ``worst``."""
        cells: list[Measurement | Missing] = [*self.record.measurements, *self.record.missing]
        found = [cell for cell in cells if self._is_meant(cell, who)]
        return found or [_absent(self.gate, who, "it was not measured in this run")]

    def _is_meant(self, cell: Cell, who: str) -> bool:
        model, _, target = who.partition("@")
        if (cell.model, cell.target) != (model, target) or cell.name not in _labels(self.gate.metric, cell):
            return False
        return cell.slice != "all" if self.gate.slice == "worst" else cell.slice == self.gate.slice

    def against(self, cell: Measurement | Missing) -> Measurement | Missing | None:
        """The other side of a candidate's cell; None for a limit."""
        if self.gate.against is None:
            return None
        kind, _, name = self.gate.against.partition(":")
        if kind == "baseline":
            if name not in self.baselines:
                return _absent(self.gate, cell.case_key, f"there is no baseline {name!r}")
            return self.baselines[name].find(cell.identity) or _absent(
                self.gate, cell.case_key, f"baseline {name!r} has no such value"
            )
        model, _, target = self.gate.against.partition("@")
        teacher = self.suite.teacher if model == "teacher" and model not in self.suite.models else model
        case_key = f"{teacher}@{target or cell.target}/{cell.slice}"
        found = self.record.find(Identity(case_key, cell.name, cell.against))
        return found or _absent(self.gate, case_key, "it was not measured in this run")


def _labels(metric: str, cell: Cell) -> set[str]:
    """Names under which a gate means this cell: a Missing of ``latency`` stands for ``latency_p50``, too."""
    return {metric, cell.name} if isinstance(cell, Missing) and metric.startswith(f"{cell.name}_") else {metric}


def _absent(gate: GateSpec, case_key: str, reason: str) -> Missing:
    where, _, slice_id = case_key.partition("/")
    model, _, target = where.partition("@")
    return Missing(
        name=gate.metric, metric=gate.metric, case_key=case_key, model=model, role="student", target=target,
        slice=slice_id or gate.slice, kind="skipped", reason=reason,
    )  # fmt: skip


def _trial(gate: GateSpec, who: str, sides: _Sides) -> Trial:
    """Test one gate on one candidate; with ``slice: worst`` on every slice, and the worst decides."""
    line = gate_line(gate, who)
    parts = [_part(gate, line, cell, sides.against(cell)) for cell in sides.candidates(who)]
    tested = [part for part in parts if part.chances is not None]
    if not tested or (gate.slice != "worst" and len(tested) < len(parts)):
        return next(part for part in parts if part.chances is None)
    p_fail = holm([part.chances.p_fail for part in tested if part.chances])
    worst = min(range(len(tested)), key=lambda i: (p_fail[i], -_p_pass(tested[i])))
    chances = Chances(p_fail[worst], max(_p_pass(part) for part in tested))
    shown = tested[worst]
    return Trial(gate, line, shown.candidate, shown.against, shown.comparison, chances)


def _p_pass(trial: Trial) -> float:
    assert trial.chances is not None
    return trial.chances.p_pass


def _part(gate: GateSpec, line: str, cell: Measurement | Missing, other: Measurement | Missing | None) -> Trial:
    for side in (cell, other):
        if isinstance(side, Missing):
            return Trial(gate, line, absent="missing", why=f"{side.case_key} has no {side.name}: {side.reason}")
    assert isinstance(cell, Measurement) and not isinstance(other, Missing)
    reason = "" if other is None else incomparable(cell, other)
    if reason or (cell.higher_is_better is None and gate.test not in ("limit", "equivalence")):
        why = reason or f"{cell.name} has no better direction; use test: equivalence or limit"
        return Trial(gate, line, cell, other, absent="incomparable", why=why)
    chances = _chances(gate, cell, other)
    if chances is None:
        return Trial(gate, line, cell, other, absent="missing", why="too few groups or rounds for a test")
    comparison = None if other is None else difference(cell, other)
    return Trial(gate, line, cell, other, comparison, chances)


def _chances(gate: GateSpec, candidate: Measurement, against: Measurement | None) -> Chances | None:
    """The p-values over all bounds: within all of them to pass, outside any of them to fail."""
    single = []
    for bound in bounds_of(gate, candidate):
        evidence = evidence_of(candidate, against, bound.factor)
        if evidence is None:
            return None
        single.append(_at_bound(evidence, bound, candidate))
    p_fail = min(1.0, len(single) * min(chances.p_fail for chances in single))
    return Chances(p_fail, max(chances.p_pass for chances in single))


def _at_bound(evidence: Evidence, bound: Bound, candidate: Measurement) -> Chances:
    # A ratio is tested against the factor itself; with a limit (factor 0) only the offset is left.
    ratio = candidate.family in TIMED and bound.factor != 0
    limit = bound.factor if ratio else bound.offset
    above, below = evidence.p_above(limit), evidence.p_below(limit)
    return Chances(above, below) if bound.side == "upper" else Chances(below, above)


def bounds_of(gate: GateSpec, candidate: Measurement) -> list[Bound]:
    """What the gate asks, as bounds on the candidate."""
    if gate.test == "limit":
        upper = [] if gate.max is None else [Bound("upper", 0.0, gate.max)]
        lower = [] if gate.min is None else [Bound("lower", 0.0, gate.min)]
        return [*upper, *lower]
    factor, offset = _allowance(gate.margin)
    worse_is_up = not candidate.higher_is_better
    if gate.test == "equivalence":
        lowest = 1 / factor if gate.margin and gate.margin.ratio else 2 - factor
        return [Bound("upper", factor, offset), Bound("lower", lowest, -offset)]
    allowed = worse_is_up if gate.test != "superiority" else not worse_is_up
    if not allowed:
        factor = 1 / factor if gate.margin and gate.margin.ratio else 2 - factor
        offset = -offset
    return [Bound("upper" if worse_is_up else "lower", factor, offset)]


def _allowance(margin: Margin | None) -> tuple[float, float]:
    """Factor and offset of a margin, upwards."""
    if margin is None:
        return 1.0, 0.0
    if margin.relative is not None:
        return 1.0 + margin.relative, 0.0
    if margin.ratio is not None:
        return margin.ratio, 0.0
    assert margin.absolute is not None
    return 1.0, margin.absolute


def _verdict(trial: Trial, p_fail: float | None, alpha: float) -> Verdict:
    if trial.chances is None or p_fail is None:
        assert trial.absent is not None
        return Verdict(gate=trial.line, outcome=trial.absent, reason=trial.why)
    p_pass = trial.chances.p_pass
    outcome = _outcome(trial.gate, p_fail, p_pass, alpha)
    assert trial.candidate is not None
    reason = reason_of(outcome, trial.gate, trial.candidate, trial.against, trial.comparison)
    return Verdict(
        gate=trial.line,
        outcome=outcome,
        reason=reason,
        comparison=trial.comparison,
        p_fail=p_fail,
        p_pass=p_pass,
    )


def _outcome(gate: GateSpec, p_fail: float, p_pass: float, alpha: float) -> Literal["pass", "fail", "inconclusive"]:
    if p_fail <= alpha:
        return "fail"
    # Without a margin nothing can show that there is no regression at all, so the absence of proof has to do.
    unprovable = gate.test == "no_regression" and gate.margin is None
    return "pass" if p_pass <= PASS_LEVEL or unprovable else "inconclusive"
