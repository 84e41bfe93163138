"""Distances and nearest-neighbour radii, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evalsuite.metrics._features import Floats

BLOCK = 512
"""Rows of a distance matrix that are in memory at once."""

ROUNDING = 1e-12
"""Squared distances below this share of the squared norms are taken for 0, so that copies are at distance 0."""


def squared_distances(rows: Floats, columns: Floats) -> Iterator[tuple[slice, Floats]]:
    """Squared Euclidean distances ``[N, M]`` of features ``[N, D]`` and ``[M, D]``, with the rows each block covers."""
    column_norms = (columns**2).sum(axis=1)
    for start in range(0, len(rows), BLOCK):
        covered = slice(start, min(start + BLOCK, len(rows)))
        block = rows[covered]
        norms = (block**2).sum(axis=1)[:, None] + column_norms
        distances = block @ columns.T
        distances *= -2
        distances += norms
        distances[distances < ROUNDING * norms] = 0
        yield covered, distances


def squared_radii(features: Floats, k: int) -> Floats:
    """Squared distance of each sample to its k-th nearest other one, float64 ``[N]``; k must be below N.

    The last results are kept, since all models are measured against the same few reference sets.
    """
    return _squared_radii(features.tobytes(), features.shape[1], k)


@lru_cache(maxsize=32)
def _squared_radii(content: bytes, dim: int, k: int) -> Floats:
    features = np.frombuffer(content, np.float64).reshape(-1, dim)
    radii = np.empty(len(features))
    for rows, distances in _to_others(features):
        radii[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    radii.setflags(write=False)
    return radii


def squared_radii_without(features: Floats, k: int, groups: NDArray[np.int64], left_out: NDArray[np.int64]) -> Floats:
    """Squared radii with one group left out, float64 ``[G, N]``; -1 for the samples that are left out themselves.

    Only samples that have a member of the group among their k nearest are looked at again.

    Args:
        features: ``[N, D]``.
        k: below the number of samples that stay.
        groups: int64 ``[N]``.
        left_out: int64 ``[G]``, the group for each row of the result.
    """
    radii = np.empty((len(left_out), len(features)))
    for rows, distances in _to_others(features):
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        radii[:, rows] = np.take_along_axis(distances, nearest, axis=1).max(axis=1)
        for row, group in zip(radii[:, rows], left_out, strict=True):
            touched = (groups[nearest] == group).any(axis=1)
            others = distances[touched][:, groups != group]
            row[touched] = np.partition(others, k - 1, axis=1)[:, k - 1]
    radii[left_out[:, None] == groups] = -1
    return radii


def _to_others(features: Floats) -> Iterator[tuple[slice, Floats]]:
    """Distances within a set; those of samples to themselves are infinite."""
    for rows, distances in squared_distances(features, features):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        yield rows, distances
