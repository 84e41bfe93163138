"""Wilcoxon's signed-rank test and the Hodges-Lehmann estimate with its inverted interval, exact for small samples.

Hollander, Wolfe and Chicken 2014, "Nonparametric Statistical Methods", sections 3.1 to 3.3.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Side = Literal["less", "greater"]


class Centre(NamedTuple):
    """Hodges-Lehmann estimate of the centre of symmetry, with its confidence interval."""

    value: float
    low: float
    high: float


def hodges_lehmann(values: NDArray[np.float64], level: float = 0.95) -> Centre:
    """Median of the Walsh averages, and the interval of centres that the signed-rank test does not reject.

    Args:
        values: float64 ``[R]``; under 6 values the widest interval there is has less than 95 % coverage.
        level: two-sided confidence level; the interval's own is at least that where R allows.
    """
    count = len(values)
    i, j = np.triu_indices(count)
    walsh = np.sort((values[i] + values[j]) / 2)
    tail = np.cumsum(null_distribution(count))
    rank = max(1, int(np.searchsorted(tail, (1 - level) / 2)))
    return Centre(float(np.median(walsh)), float(walsh[rank - 1]), float(walsh[len(walsh) - rank]))


def p_value(values: NDArray[np.float64], side: Side) -> float:
    """One-sided p-value of "the centre is 0" against "it is less" or "greater". Zeros are dropped.

    Tied magnitudes get their mean rank; the rank sum is then rounded towards the larger p-value.
    """
    nonzero = values[values != 0]
    if len(nonzero) == 0:
        return 1.0
    ranks = rankdata(np.abs(nonzero))
    signs = nonzero > 0 if side == "greater" else nonzero < 0
    statistic = int(np.floor(ranks[signs].sum()))
    return float(min(1.0, null_distribution(len(nonzero))[statistic:].sum()))


@cache
def null_distribution(count: int) -> NDArray[np.float64]:
    """Probabilities of each rank sum 0 .. R(R+1)/2 when all signs are equally likely, float64."""
    chances = np.ones(1)
    for rank in range(1, count + 1):
        grown = np.zeros(len(chances) + rank)
        grown[: len(chances)] += chances / 2
        grown[rank:] += chances / 2
        chances = grown
    return chances
