"""Whether two sets of samples differ around given places: a test by a witness that other samples taught.

Around each place, the witness is the function that tells the two sets apart in mean: how near a point is, and to which
side of the place it lies. One half of the samples teaches it, the other is tested with it, as in Kübler, Stimper,
Buchholz, Muandet and Schölkopf 2022, "A witness two-sample test" (arXiv:2102.05573), here with paired samples and a
kernel of one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Where samples are looked at.

    Attributes:
        centres: float64 ``[K, D]``.
        radii: float64 ``[K]``, above 0: at this distance from its centre a point counts 1/e.
    """

    centres: Floats
    radii: Floats

    def closeness(self, points: Floats) -> Floats:
        """How much each point counts at each place, ``exp(-(distance / radius)**2)``, float64 ``[N, K]``."""
        return np.exp(-squared_distances(points, self.centres) / self.radii**2)

    def witness(self, first: Floats, second: Floats) -> Floats:
        """Weights of the function that is larger on the first set than on the second, float64 ``[K, 1 + D]``.

        Args:
            first, second: float64 ``[N, D]``.
        """
        return self._moments(first) - self._moments(second)

    def seen(self, points: Floats, weights: Floats) -> Floats:
        """Values of a witness at points float64 ``[N, D]``: float64 ``[N, K]``."""
        slopes = weights[:, 1:]
        along = (points @ slopes.T - (self.centres * slopes).sum(axis=1)) / self.radii
        values: Floats = self.closeness(points) * (weights[:, 0] + along)
        return values

    def _moments(self, points: Floats) -> Floats:
        """Means of closeness, and of closeness times the step from the centre in radii."""
        near = self.closeness(points)
        total = near.sum(axis=0)[:, None]
        steps = (near.T @ points - total * self.centres) / self.radii[:, None]
        return np.concatenate([total, steps], axis=1) / len(points)


def squared_distances(points: Floats, centres: Floats) -> Floats:
    """Squared Euclidean distances, float64 ``[N, K]``."""
    squares: Floats = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)
    return np.maximum(squares, 0.0)


def p_values(differences: Floats, units: NDArray[np.int64]) -> Floats:
    """Student's t-test of "the mean is 0" against "it is above", for each column, float64 ``[K]``.

    Where each row may as well have the other sign, as those of two sets that can be swapped, it keeps its level with
    few samples too (Efron 1969).

    Args:
        differences: float64 ``[N, K]``.
        units: int64 ``[N]``, equal for rows that are not independent; the test is of the sums over each.
    """
    _, unit = np.unique(units, return_inverse=True)
    sums = np.zeros((unit.max(initial=-1) + 1, differences.shape[1]))
    np.add.at(sums, unit, differences)
    if len(sums) < 2:
        return np.ones(differences.shape[1])
    errors = sums.std(axis=0, ddof=1) / len(sums) ** 0.5
    scores = np.divide(sums.mean(axis=0), errors, out=np.zeros_like(errors), where=errors > 0)
    found: Floats = t.sf(scores, len(sums) - 1)
    return found
