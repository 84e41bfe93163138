"""k-nearest-neighbour balls in feature space, for precision and recall.

Conventions, which libraries disagree about: the sample itself is not its own neighbour, and the surface belongs to the
ball (``<=``). Distances come in blocks, so memory grows with n, not with its square.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

K = 5
BLOCK = 1024


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Squared Euclidean distances float64 ``[len(a), len(b)]``, not negative."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * (a @ b.T)
    return np.maximum(squares, 0.0, out=squares)


def squared_radii(features: Floats, k: int = K) -> Floats:
    """Squared distance of each sample to its k-th nearest other sample, float64 ``[N]``."""
    radii = np.empty(len(features))
    for start in range(0, len(features), BLOCK):
        rows = slice(start, min(start + BLOCK, len(features)))
        distances = squared_distances(features[rows], features)
        distances[np.arange(distances.shape[0]), np.arange(rows.start, rows.stop)] = np.inf
        radii[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return radii


def covered(points: Floats, centres: Floats, radii: Floats) -> NDArray[np.bool_]:
    """Whether each point lies in the ball of any centre, bool ``[len(points)]``.

    Args:
        points: float64 ``[N, D]``.
        centres: float64 ``[M, D]``.
        radii: squared radii, float64 ``[M]``.
    """
    inside = np.empty(len(points), dtype=bool)
    for start in range(0, len(points), BLOCK):
        rows = slice(start, start + BLOCK)
        inside[rows] = (squared_distances(points[rows], centres) <= radii).any(axis=1)
    return inside
