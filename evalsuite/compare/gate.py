"""Gates: does a candidate keep its bounds? Judged by tests, with a false-alarm rate for the whole suite.

Each gate is one bound on the candidate, or two (:mod:`evalsuite.compare.bounds`). ``p_fail`` tests "it is within",
``p_pass`` tests "it is outside". A gate fails if Holm's correction over all gates of the suite leaves ``p_fail <=
alpha``, and passes if ``p_pass <= 0.05``; the printed interval never decides. Memory has no p-values: there all
processes have to agree. A run that is one look of several has its share of both rates (:mod:`evalsuite.compare.looks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from evalsuite.compare.baseline import Baseline
from evalsuite.compare.contrast import Incomparable, TooFew
from evalsuite.compare.difference import describe, terms_of
from evalsuite.compare.looks import Look, look_of, looks_of
from evalsuite.compare.sentences import PASS_LEVEL, Levels, gate_line, reason_of
from evalsuite.compare.sides import Sides
from evalsuite.compare.trial import Trial, put_to_test
from evalsuite.records import Measurement, Missing, RunRecord, Term, Verdict
from evalsuite.stats.multiple import holm
from evalsuite.suite.recorded import recorded_suite
from evalsuite.suite.schema import GateSpec

PASS, REGRESSION, INCONCLUSIVE, CELLS_FAILED = 0, 1, 3, 4


def judge(record: RunRecord, baselines: Mapping[str, Baseline]) -> list[Verdict]:
    """A verdict for each gate of the record's suite, candidate and target.

    Args:
        record: the run; of a run of part of the suite, the gates of that part are judged.
        baselines: by name, for gates ``against: baseline:NAME``.
    """
    suite = recorded_suite(record)
    results = [
        (gate, gate_line(gate, who), _result(gate, who, Sides(gate, suite, record, baselines)))
        for gate in suite.gates
        for who in Sides(gate, suite, record, baselines).candidates()
    ]
    tested = [trial for _, _, trial in results if isinstance(trial, Trial) and not trial.exact]
    corrected = iter(holm([trial.p_fail for trial in tested]))
    look = look_of(suite)
    alpha, pass_level = suite.alpha * look.share, PASS_LEVEL * look.share
    levels = Levels(alpha / max(len(tested), 1), pass_level)
    verdicts = []
    for gate, line, result in results:
        if isinstance(result, Trial):
            p_fail = result.p_fail if result.exact else next(corrected)
            verdict = _verdict(line, result, p_fail, alpha, levels, look)
        else:
            verdict = _without_numbers(line, result)
        verdicts.append(verdict.model_copy(update={"metric": gate.metric}))
    return verdicts


def wants_more(record: RunRecord, verdicts: Sequence[Verdict]) -> Look | None:
    """The next look, where the suite extends, nothing failed, and more samples may decide an open gate; else None."""
    suite = recorded_suite(record)
    outcomes = {verdict.outcome for verdict in verdicts}
    of_samples = {measurement.name for measurement in record.measurements if not measurement.profiled}
    waiting = any(verdict.outcome == "inconclusive" and verdict.metric in of_samples for verdict in verdicts)
    if suite.on_inconclusive != "extend" or not waiting or outcomes & {"fail", "missing"}:
        return None
    later = (look for look in looks_of(suite) if look.num_samples > suite.sampling.num_samples)
    return next(later, None)


def exit_code(record: RunRecord, verdicts: Sequence[Verdict]) -> int:
    """0 pass, 1 regression, 3 inconclusive, 4 failed cells or a gate without its numbers; the first of 1, 4, 3, 0."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if "fail" in outcomes:
        return REGRESSION
    if outcomes & {"missing", "incomparable"} or any(cell.kind == "failed" for cell in record.missing):
        return CELLS_FAILED
    undecided = "inconclusive" in outcomes and record.suite.get("on_inconclusive") != "warn"
    return INCONCLUSIVE if undecided else PASS


def _result(gate: GateSpec, who: str, sides: Sides) -> Trial | Missing | Incomparable:
    parts = [_part(gate, cell, sides) for cell in sides.cells_of(who)]
    return _worst(parts) if gate.slice == "worst" else parts[0]


def _part(gate: GateSpec, cell: Measurement | Missing, sides: Sides) -> Trial | Missing | Incomparable:
    """The gate on one slice, or what prevents it."""
    against = sides.against(cell)
    if isinstance(cell, Missing):
        return cell
    if isinstance(against, Missing):
        return against
    try:
        return put_to_test(gate, cell, against, sides.common)
    except Incomparable as reason:
        return reason


def _worst(parts: Sequence[Trial | Missing | Incomparable]) -> Trial | Missing | Incomparable:
    """Fails if any slice fails under Holm over the slices, and passes if every slice passes.

    Slices that make no sense for a model (skipped) are left out; any other gap leaves the gate without an answer.
    """
    trials = [part for part in parts if isinstance(part, Trial)]
    gaps = [part for part in parts if not isinstance(part, Trial)]
    serious = [gap for gap in gaps if not (isinstance(gap, Missing) and gap.kind == "skipped")]
    if serious or not trials:
        return (serious or gaps)[0]
    corrected = holm([trial.p_fail for trial in trials])
    first = min(range(len(trials)), key=lambda i: (corrected[i], -trials[i].p_pass))
    return replace(
        trials[first], p_fail=corrected[first], p_pass=max(trial.p_pass for trial in trials), slices=len(trials)
    )


def _without_numbers(line: str, gap: Missing | Incomparable) -> Verdict:
    if isinstance(gap, TooFew):
        return Verdict(gate=line, outcome="inconclusive", reason=f"It cannot be tested: {gap}.")
    if isinstance(gap, Incomparable):
        return Verdict(gate=line, outcome="incomparable", reason=f"It cannot be judged: {gap}.")
    reason = f"There is no {gap.name} of {gap.case_key} ({gap.kind}): {gap.reason}."
    return Verdict(gate=line, outcome="missing", reason=reason)


def _verdict(line: str, trial: Trial, p_fail: float, alpha: float, levels: Levels, look: Look) -> Verdict:
    outcome = _outcome(trial, p_fail, alpha, levels.of_pass)
    candidate, against, binding = trial.candidate, trial.against, trial.binding
    terms = (
        [Term(coefficient=1.0, identity=candidate.identity)]
        if against is None
        else terms_of(candidate, against, 1.0 if binding.found.scale == "ratio" else binding.bound.factor)
    )
    return Verdict(
        gate=line,
        outcome=outcome,
        reason=reason_of(outcome, trial, levels) + _which(look),
        comparison=describe(binding.found, candidate, terms),
        p_fail=None if trial.exact else p_fail,
        p_pass=None if trial.exact else trial.p_pass,
    )


def _which(look: Look) -> str:
    return "" if look.of == 1 else f" Look {look.number} of {look.of}, at {look.num_samples} samples."


def _outcome(trial: Trial, p_fail: float, alpha: float, pass_level: float) -> Literal["pass", "fail", "inconclusive"]:
    if p_fail <= alpha:
        return "fail"
    # "No regression" claims nothing about the truth, only that nothing was shown.
    return "pass" if trial.gate.test == "no_regression" or trial.p_pass <= pass_level else "inconclusive"
