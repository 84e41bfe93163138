"""The difference of two measurements, or why they cannot be compared."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.compare.evidence import TIMED, Evidence, Linear, Memory, evidence_of
from evalsuite.records import Comparison, Family, Interval, Measurement, Missing, Term

EQUAL_N = (Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE)
"""Families whose values depend on the number of samples."""


def difference(candidate: Measurement | Missing, against: Measurement | Missing, level: float = 0.95) -> Comparison:
    """``candidate - against``, paired where both hold the same samples; for timings and memory the ratio.

    Args:
        candidate: usually a student's.
        against: usually its teacher's, of the same target and slice.
        level: of the interval, two-sided.

    Returns:
        The comparison; ``incomparable`` says why there are no numbers, naming the field that differs.
    """
    terms = [Term(coefficient=1, identity=candidate.identity), Term(coefficient=-1, identity=against.identity)]
    reason = incomparable(candidate, against)
    if reason:
        return Comparison(name=candidate.name, terms=terms, incomparable=reason)
    assert isinstance(candidate, Measurement) and isinstance(against, Measurement)
    evidence = evidence_of(candidate, against)
    if evidence is None:
        return Comparison(name=candidate.name, terms=terms, incomparable="too few groups or rounds for a difference")
    timed = candidate.family in TIMED
    no_change = 1.0 if timed else 0.0
    interval = evidence.interval(level)
    return Comparison(
        name=candidate.name,
        terms=terms,
        scale="ratio" if timed else "difference",
        unit="" if timed else candidate.unit,
        paired=evidence.paired,
        value=evidence.value,
        interval=interval,
        p_value=None if candidate.family == Family.MEMORY else two_sided(evidence, no_change),
        standard_error=evidence.standard_error if isinstance(evidence, Linear) else None,
        degrees_of_freedom=evidence.degrees_of_freedom if isinstance(evidence, Linear) else None,
        minimum_detectable_effect=evidence.detectable(),
        better=_better(evidence, interval, no_change, candidate),
        n=min(candidate.n, against.n),
        note=evidence.note,
    )


def two_sided(evidence: Evidence, no_change: float) -> float:
    """p-value of "there is no difference"."""
    return min(1.0, 2 * min(evidence.p_above(no_change), evidence.p_below(no_change)))


def _better(evidence: Evidence, interval: Interval | None, no_change: float, candidate: Measurement) -> bool | None:
    if candidate.higher_is_better is None or interval is None:
        return None
    if isinstance(evidence, Memory):
        above, below = evidence.value > 1 + evidence.tolerance, evidence.value < 1 - evidence.tolerance
    else:
        above, below = interval.low > no_change, interval.high < no_change
    if not above and not below:
        return None
    return above == candidate.higher_is_better


def incomparable(candidate: Measurement | Missing, against: Measurement | Missing) -> str:
    """Why two cells cannot be compared, naming the first field that differs; "" where they can."""
    for cell in (candidate, against):
        if isinstance(cell, Missing):
            return f"{cell.case_key} has no {cell.name} ({cell.kind}): {cell.reason}"
    assert isinstance(candidate, Measurement) and isinstance(against, Measurement)
    return next(_differing(candidate, against), "")


def _differing(candidate: Measurement, against: Measurement) -> Iterator[str]:
    for field in ("metric", "family", "extractor", "unit"):
        ours, theirs = getattr(candidate, field), getattr(against, field)
        if ours != theirs:
            yield f"{field} differs: {ours} and {theirs}"
    for key in sorted(candidate.protocol.keys() | against.protocol.keys()):
        ours, theirs = candidate.protocol.get(key), against.protocol.get(key)
        if ours != theirs:
            yield f"protocol differs in {key}: {ours} and {theirs}"
    if candidate.family in EQUAL_N and candidate.n != against.n:
        yield f"n differs: {candidate.n} and {against.n}, and {candidate.name} depends on it"
