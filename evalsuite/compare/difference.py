"""The difference of two measurements as a record: value, interval, p-value, or why there is none."""

from __future__ import annotations

import math

from evalsuite.compare.contrast import Common, Contrast, Incomparable, contrast
from evalsuite.records import Comparison, Interval, Measurement, Missing, Term
from evalsuite.stats.evidence import Extent, two_sided
from evalsuite.stats.power import minimum_detectable_effect


def difference(
    candidate: Measurement | Missing,
    against: Measurement | Missing,
    level: float = 0.95,
    *,
    common: Common = Common.RUN,
) -> Comparison:
    """``candidate - against``; for latency and memory, ``candidate / against``.

    Args:
        candidate, against: cells of the same metric.
        level: of the two-sided interval.
        common: what the two share: the run, the samples' seeds, or nothing.

    Returns:
        The comparison; ``incomparable`` says which field of the protocols differs, or what is missing.
    """
    terms = terms_of(candidate, against, 1.0)
    absent = [cell for cell in (candidate, against) if isinstance(cell, Missing)]
    if isinstance(candidate, Missing) or isinstance(against, Missing):
        reason = "; ".join(f"no value of {cell.case_key} ({cell.kind}): {cell.reason}" for cell in absent)
        return Comparison(name=candidate.name, terms=terms, incomparable=reason)
    try:
        found = contrast(candidate, against, common=common)
    except Incomparable as error:
        return Comparison(name=candidate.name, terms=terms, incomparable=str(error))
    return describe(found, candidate, terms, level)


def terms_of(candidate: Measurement | Missing, against: Measurement | Missing, multiplier: float) -> list[Term]:
    """``candidate - multiplier * against``."""
    return [
        Term(coefficient=1.0, identity=candidate.identity),
        Term(coefficient=-multiplier, identity=against.identity),
    ]


def describe(found: Contrast, candidate: Measurement, terms: list[Term], level: float = 0.95) -> Comparison:
    """A contrast as a record; of a single term (a limit) there is no p-value of "no difference"."""
    evidence, alone = found.evidence, len(terms) == 1
    low, high = evidence.interval(level)
    return Comparison(
        name=candidate.name,
        terms=terms,
        scale=found.scale,
        unit="" if found.scale == "ratio" else candidate.unit,
        paired=found.paired,
        value=evidence.value,
        interval=Interval(low=low, high=high, level=level, method=evidence.method),
        p_value=None if alone or isinstance(evidence, Extent) else two_sided(evidence, found.null),
        standard_error=evidence.standard_error,
        degrees_of_freedom=_finite(evidence.degrees_of_freedom),
        minimum_detectable_effect=None if alone else _detectable(found),
        better=None if alone or found.invalid else _better(found, candidate.higher_is_better, low, high),
        n=found.n,
        invalid=found.invalid,
        note=found.note,
    )


def _finite(number: float | None) -> float | None:
    """The number where JSON can hold it: a normal approximation has infinitely many degrees of freedom."""
    return number if number is not None and math.isfinite(number) else None


def _detectable(found: Contrast) -> float | None:
    error, freedom = found.evidence.standard_error, found.evidence.degrees_of_freedom
    if error is None or freedom is None:
        return None
    effect = minimum_detectable_effect(error, freedom)
    return math.exp(effect) if found.scale == "ratio" else effect


def _better(found: Contrast, higher_is_better: bool | None, low: float, high: float) -> bool | None:
    tolerance = found.evidence.tolerance if isinstance(found.evidence, Extent) else 0.0
    if higher_is_better is None or not (low > found.null + tolerance or high < found.null - tolerance):
        return None
    return (low > found.null) == higher_is_better
