"""Steps in a row of numbers: E-divisive, which asks no more of the noise than that its order means nothing.

Matteson and James 2014, "A nonparametric approach for multiple change point analysis of multivariate data", with the
exponent alpha = 1. The statistic of a split at t is the energy distance of the numbers before it and those from it up
to some k, so that a step which is taken back is seen too,

    q = m n / (m + n) (2 mean |x - y| - mean |x - x'| - mean |y - y'|)

and the largest over all t and k is compared with those of the same numbers in random order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_SIZE = 3
"""Numbers on either side of a step: fewer could not be told from an outlier."""

ENOUGH = 20
"""So many shuffled orders above the observed one settle that there is no step."""

BATCH = 500
"""Orders that are in memory at once."""


class Step(NamedTuple):
    """A change of level.

    Attributes:
        first: position of the first number after it.
        low, high: with a confidence of 95 %, ``first`` is from ``low`` to ``high``.
        begin, end: from the step before to the step after, ``begin < first < end``.
    """

    first: int
    low: int
    high: int
    begin: int
    end: int


class Found(NamedTuple):
    """Steps in their order, and the p-value of "the order of all the numbers means nothing"."""

    p_value: float
    steps: tuple[Step, ...]


def find_steps(values: Floats, alpha: float, draws: int, random: np.random.Generator) -> Found:
    """All steps: the best split of the whole, then of both sides, as long as they are significant.

    Args:
        values: float64 ``[T]``.
        alpha: level at which a split is taken for a step.
        draws: random orders that a split is compared with at most; the smallest p-value is ``1 / (draws + 1)``.
        random: makes the orders.
    """
    of_whole = 1.0
    edges = {0, len(values)}
    segments = [(0, len(values))]
    while segments:
        begin, end = segments.pop()
        if end - begin < 2 * MIN_SIZE:
            continue
        p_value = significance(values[begin:end], draws, random)
        of_whole = p_value if (begin, end) == (0, len(values)) else of_whole
        if p_value <= alpha:
            first = begin + int(best_splits(values[None, begin:end])[1][0])
            edges.add(first)
            segments += [(begin, first), (first, end)]
    order = sorted(edges)
    steps = [
        Step(first, *_whereabouts(values, begin, first, end, random), begin, end)
        for begin, first, end in zip(order, order[1:], order[2:], strict=False)
    ]
    return Found(of_whole, tuple(steps))


def best_splits(rows: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Of each row ``[B, T]``: the largest statistic, float64 ``[B]``, and the first position after that split."""
    size, length = rows.shape
    corners = np.zeros((size, length + 1, length + 1))  # sums of distances between the first a and the first b numbers
    np.abs(rows[:, :, None] - rows[:, None, :]).cumsum(axis=1).cumsum(axis=2, out=corners[:, 1:, 1:])
    squares = np.diagonal(corners, axis1=1, axis2=2)
    split, end = np.triu_indices(length + 1, MIN_SIZE)
    split, end = (positions[split >= MIN_SIZE] for positions in (split, end))
    m, n = split.astype(float), (end - split).astype(float)
    up_to_split = corners[:, split, end]
    before = squares[:, split] / 2
    after = squares[:, end] / 2 - up_to_split + before
    across = up_to_split - 2 * before
    energy = 2 * across / (m * n) - 2 * before / (m * (m - 1)) - 2 * after / (n * (n - 1))
    statistics = m * n / (m + n) * energy
    best = statistics.argmax(axis=1)
    return statistics[np.arange(size), best], split[best]


def significance(values: Floats, draws: int, random: np.random.Generator) -> float:
    """p-value of the best split, from random orders; valid for any number of them.

    It stops early where the observed order is clearly nothing special (Besag and Clifford 1991): then it is the share
    of orders with a statistic as large among those that were drawn.
    """
    observed = float(best_splits(values[None])[0][0])
    # Orders that are the same but for rounding count as equal.
    bound = observed - 1e-9 * abs(observed)
    above = drawn = 0
    while drawn < draws:
        size = min(BATCH, draws - drawn)
        orders = random.permuted(np.tile(values, (size, 1)), axis=1)
        reached = np.cumsum(best_splits(orders)[0] >= bound)
        if above + reached[-1] >= ENOUGH:
            drawn += int(np.searchsorted(reached, ENOUGH - above)) + 1
            return ENOUGH / drawn
        above, drawn = above + int(reached[-1]), drawn + size
    return (above + 1) / (draws + 1)


def _whereabouts(
    values: Floats, begin: int, first: int, end: int, random: np.random.Generator, draws: int = 400
) -> tuple[int, int]:
    """95 % range of a step's position: where least squares find it after the noise of each side is drawn anew."""
    again = np.empty((draws, end - begin))
    for side in (slice(begin, first), slice(first, end)):
        level, size = values[side].mean(), side.stop - side.start
        # Residuals are smaller than the noise, since their mean was taken off.
        noise = (values[side] - level) * np.sqrt(size / (size - 1))
        again[:, side.start - begin : side.stop - begin] = level + random.choice(noise, (draws, size))
    positions = begin + _least_squares(again)
    low, high = np.quantile(positions, (0.025, 0.975), method="inverted_cdf")
    return min(int(low), first), max(int(high), first)


def _least_squares(rows: Floats) -> NDArray[np.int64]:
    """First position after the split of each row ``[B, T]`` that leaves the smallest squares, int64 ``[B]``."""
    length = rows.shape[1]
    first = np.arange(MIN_SIZE, length - MIN_SIZE + 1)
    sums = rows.cumsum(axis=1)
    before, total = sums[:, first - 1], sums[:, -1:]
    explained: Floats = before**2 / first + (total - before) ** 2 / (length - first)
    found: NDArray[np.int64] = first[explained.argmax(axis=1)]
    return found
