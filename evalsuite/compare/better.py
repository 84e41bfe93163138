"""How surely one of two measurements is better than the other."""

from __future__ import annotations

from typing import NamedTuple

from evalsuite.compare.contrast import Common, Incomparable, contrast
from evalsuite.records import Measurement
from evalsuite.stats.evidence import Extent


class Better(NamedTuple):
    """One-sided p-values of "the first is not better" and "the second is not better"; 1 where nothing is decided."""

    first: float
    second: float


def better(first: Measurement, second: Measurement, common: Common = Common.RUN) -> Better:
    """Compare two cells of a metric that has a direction; paired wherever what they have in common allows it.

    Cells that are INVALID, too few, or measured by different protocols decide nothing. Memory has no p-values: there
    it is 0 if all processes say so, by more than what counts as equal, and else 1.
    """
    try:
        found = contrast(first, second, common=common)
    except Incomparable:
        return Better(1.0, 1.0)
    if found.invalid:
        return Better(1.0, 1.0)
    evidence = found.evidence
    equal = evidence.tolerance if isinstance(evidence, Extent) else 0.0
    lower, higher = evidence.below(found.null - equal), evidence.above(found.null + equal)
    return Better(higher, lower) if first.higher_is_better else Better(lower, higher)
