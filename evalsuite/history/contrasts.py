"""A weighted sum of a series' values, as a step or a slope is one, with an error that holds.

The noise of the values has two sources. That of the samples is seen inside each run: the groups of its samples
disagree. Samples have the same seeds at every commit, so that much of this noise is common to all of them, and cancels
in a sum whose weights add to nothing: the sum is taken for each group, and then the groups are compared. The rest is
seen between runs only: a training that is repeated, the machine's mood. The larger of the two errors counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evalsuite.history.points import Point
from evalsuite.stats.evidence import StudentT, two_sided

Floats = NDArray[np.float64]


def step_weights(length: int, first: int) -> Floats:
    """Mean from ``first`` on, less the mean before it, float64 ``[T]``."""
    after = np.arange(length) >= first
    weights: Floats = after / after.sum() - ~after / (~after).sum()
    return weights


def slope_weights(length: int) -> Floats:
    """Least-squares slope for each step of 1, float64 ``[T]``."""
    centred = np.arange(length) - (length - 1) / 2
    weights: Floats = centred / (centred**2).sum()
    return weights


def contrast(points: Sequence[Point], weights: Floats, residuals: Floats, parameters: int) -> StudentT:
    """``sum of weights * values``, with the larger of both errors.

    Args:
        points: of one series ``[T]``.
        weights: float64 ``[T]``.
        residuals: float64 ``[T]``, of the model whose parameter the sum estimates.
        parameters: of that model.
    """
    value = float(weights @ _values(points))
    freedom = len(points) - parameters
    spread = float(np.sqrt((residuals**2).sum() / freedom * (weights**2).sum()))
    between_runs = StudentT(value, spread, freedom, "t over commits")
    of_samples = within_runs(points, weights)
    return max(filter(None, (between_runs, of_samples)), key=lambda one: one.interval(0.95).high)


def within_runs(points: Sequence[Point], weights: Floats) -> StudentT | None:
    """The sum with the noise of the samples alone; None where the values say nothing about it."""
    deviations = [point.deviations for point in points]
    kept = [row for row in deviations if row is not None]
    if len(kept) < len(deviations) or len({len(row) for row in kept}) > 1:
        return None
    groups = weights @ np.array(kept, np.float64)
    error = float(np.std(groups, ddof=1) / np.sqrt(len(groups)))
    return StudentT(float(weights @ _values(points)), error, len(groups) - 1, "t over groups of samples")


def chance_of_samples(points: Sequence[Point], weights: Floats) -> float:
    """p-value of "the sum is nothing but noise of the samples"; 0 where that noise is not known."""
    found = within_runs(points, weights)
    return 0.0 if found is None else two_sided(found, 0.0)


def _values(points: Sequence[Point]) -> Floats:
    return np.array([point.value for point in points])
