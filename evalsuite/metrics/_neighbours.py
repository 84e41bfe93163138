"""The balls of nearest-neighbour metrics: one pass over the distances of two sets serves all of them.

A ball is centred on a sample and reaches to the k-th nearest other sample of its own set, its surface included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.metrics._distances import BLOCK, Block, Indices, Points, Some, blocks, points, squared_distances
from evalsuite.metrics._features import Floats, Floats32
from evalsuite.metrics._kept import kept

K = 5
"""Neighbours that set the radius, unless a metric is set otherwise."""

SPARE = 5
"""Candidates that are kept beyond k: for what rounding may confuse, and for groups that are left out."""

CANDIDATES = 2**21
"""Candidates in memory at once where some samples need many."""


@dataclass(frozen=True)
class Neighbourhood:
    """What generated samples and a reference are to each other.

    Attributes:
        balls: int64 ``[N]``, balls of the reference that each generated sample is in.
        authentic: bool ``[N]``, whether each is farther from its nearest reference sample than that sample is from its
            own nearest neighbour in the reference.
        recalled: float64 ``[1 + G]``, share of the reference in a ball of the generated samples: of all of them, and
            with each group left out.
        covered: float64 ``[1 + G]``, likewise the share of the reference whose ball holds a generated sample.
        group_sizes: int64 ``[G]``; none where all samples are in one group.
    """

    balls: Indices
    authentic: NDArray[np.bool_]
    recalled: Floats
    covered: Floats
    group_sizes: Indices


class Balls(NamedTuple):
    """Squared radii float64 ``[1 + G, N]``, of all samples and with each group left out (-1 for its own samples), and
    squared distances to the nearest other sample, float64 ``[N]``."""

    squared_radii: Floats
    nearest: Floats


@kept(8)
def neighbourhood(generated: Floats32, reference: Floats32, k: int, groups: Indices) -> Neighbourhood:
    """Of features float32 ``[N, D]`` and ``[M, D]``, and the jackknife group of each generated sample.

    Where a set has no more than k samples, its balls are infinite.
    """
    _, membership, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    theirs, own = _balls(reference, k, np.zeros(len(reference), np.int64)), _balls(generated, k, membership)
    a, b = points(generated, reference)
    balls = np.zeros(len(generated), np.int64)
    candidates = Candidates(len(generated), SPARE)
    reached = np.zeros((len(sizes), len(reference)), np.bool_)
    recalled = np.zeros_like(reached)
    without = np.zeros((len(own.squared_radii) - 1, len(reference)), np.bool_)
    for columns in blocks(len(reference), BLOCK):
        there = Some(b, columns)
        for group, rows in _by_group(membership):
            block = Block(Some(a, rows), there)
            inside = block.within(theirs.squared_radii[0, columns])
            balls[rows] += inside.sum(axis=1)
            reached[group, columns] |= inside.any(axis=0)
            radii = own.squared_radii[:, rows, None]
            recalled[group, columns] |= block.within(radii[0]).any(axis=0)
            closest = block.lower.min(axis=1, keepdims=True)
            for left_out, grown in enumerate(radii[1:]):
                wider = np.flatnonzero((grown > radii[0]) & (grown >= closest))
                without[left_out, columns] |= block.within(grown[wider], wider).any(axis=0)
            candidates.offer(rows, columns, block.lower)
    return Neighbourhood(
        balls=balls,
        authentic=_farther_than(theirs.nearest, a, b, candidates),
        recalled=_shares(recalled, without),
        covered=_shares(reached, np.zeros_like(without)),
        group_sizes=sizes.astype(np.int64) if len(without) else np.empty(0, np.int64),
    )


def _by_group(membership: Indices) -> Iterator[tuple[int, Indices]]:
    """Rows of each group, a block at a time."""
    for group in range(int(membership.max()) + 1):
        members = np.flatnonzero(membership == group)
        for rows in blocks(len(members), BLOCK):
            yield group, members[rows]


def _shares(by_group: NDArray[np.bool_], without: NDArray[np.bool_]) -> Floats:
    """Share of the reference that some group holds: of all groups, and of all but one.

    Args:
        by_group: bool ``[G, M]``.
        without: bool ``[G, M]``, what the other groups hold beside that once the group is left out; none for one group.
    """
    count = by_group.sum(axis=0)
    shares = [(count > 0).mean()]
    shares += [((count - mine > 0) | more).mean() for mine, more in zip(by_group, without, strict=False)]
    return np.array(shares)


# --- nearest samples -----------------------------------------------------------------------------------------------


class Candidates:
    """For each sample the few others that may be nearest: those with the smallest lower bounds on their distance.

    Attributes:
        lower: the bounds, float64 ``[N, keep]``, infinite where there are fewer others.
        index: int64 ``[N, keep]``.
    """

    def __init__(self, samples: int, keep: int) -> None:
        self.lower = np.full((samples, keep), np.inf)
        self.index = np.zeros((samples, keep), np.int64)

    def offer(self, rows: slice | Indices, columns: slice, lower: Floats) -> None:
        """Look at a block of lower bounds."""
        keep = self.lower.shape[1]
        index = np.broadcast_to(np.arange(columns.start, columns.stop), lower.shape)
        lower, index = _smallest(keep, lower, index)
        both = np.hstack([self.lower[rows], lower]), np.hstack([self.index[rows], index])
        self.lower[rows], self.index[rows] = _smallest(keep, *both)

    @property
    def reach(self) -> Floats:
        """No sample that is not a candidate is nearer than this, squared; float64 ``[N]``."""
        reach: Floats = np.maximum(self.lower.max(axis=1), 0)
        return reach

    def distances(self, a: Points, rows: Indices, b: Points) -> Floats:
        """Exact squared distances of the candidates, float64 ``[N, keep]``."""
        keep = self.lower.shape[1]
        exact = squared_distances(a.features, np.repeat(rows, keep), b.features, self.index.ravel())
        return np.where(np.isinf(self.lower), np.inf, exact.reshape(-1, keep))


def _smallest(keep: int, values: Floats, index: Indices) -> tuple[Floats, Indices]:
    """The smallest values of each row with their indices, in any order; all where there are no more than that."""
    if values.shape[1] <= keep:
        return values, index
    chosen = np.argpartition(values, keep - 1, axis=1)[:, :keep]
    return np.take_along_axis(values, chosen, axis=1), np.take_along_axis(index, chosen, axis=1)


@kept(32)
def _balls(features: Floats32, k: int, membership: Indices) -> Balls:
    """Of features ``[N, D]`` with groups numbered from 0; one group alone is never left out."""
    (own,) = points(features)
    count, groups = len(features), int(membership.max()) + 1
    radii, nearest = np.empty((1 + groups if groups > 1 else 1, count)), np.empty(count)

    def settle(rows: Indices, candidates: Candidates) -> Indices:
        """Write down what the candidates say, and give back the rows for which they may be too few."""
        distances = candidates.distances(own, rows, own)
        nearest[rows] = distances.min(axis=1)
        radii[0, rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
        for group in range(len(radii) - 1):
            others = np.where(membership[candidates.index] == group, np.inf, distances)
            radii[1 + group, rows] = np.partition(others, k - 1, axis=1)[:, k - 1]
            radii[1 + group, rows[membership[rows] == group]] = -1
        doubtful: Indices = rows[(radii[:, rows] > candidates.reach).any(axis=0)]
        return doubtful

    _settle_all(own, own, _others_within(own, k + SPARE), settle)
    return Balls(radii, nearest)


def _farther_than(nearest: Floats, a: Points, b: Points, candidates: Candidates) -> NDArray[np.bool_]:
    """Whether samples of ``a`` are farther from the nearest of ``b`` than that one is from its own nearest, which is
    given squared; of several that are equally near, the loneliest counts."""
    farther = np.empty(len(a.features), np.bool_)

    def settle(rows: Indices, candidates: Candidates) -> Indices:
        distances = candidates.distances(a, rows, b)
        smallest = distances.min(axis=1)
        own = np.where(distances == smallest[:, None], nearest[candidates.index], -1).max(axis=1)
        farther[rows] = smallest > own
        doubtful: Indices = rows[smallest > candidates.reach]
        return doubtful

    _settle_all(a, b, candidates, settle)
    return farther


def _settle_all(a: Points, b: Points, candidates: Candidates, settle: Callable[[Indices, Candidates], Indices]) -> None:
    """Settle all samples of ``a``; look for more candidates, and more precisely, until none is in doubt."""
    keep = candidates.lower.shape[1]
    doubtful = settle(np.arange(len(a.features)), candidates)
    while len(doubtful):
        keep = min(8 * keep, len(b.features) + 1)
        parts = [doubtful[part] for part in blocks(len(doubtful), max(1, min(BLOCK, CANDIDATES // keep)))]
        doubtful = np.concatenate([settle(part, _others(a, part, b, keep)) for part in parts])


def _others_within(own: Points, keep: int) -> Candidates:
    """Candidates of all samples of a set, each block of distances serving both its rows and its columns."""
    candidates = Candidates(len(own.features), keep)
    spans = list(blocks(len(own.features), BLOCK))
    for number, rows in enumerate(spans):
        here = Some(own, rows)
        for columns in spans[number:]:
            lower = Block(here, Some(own, columns)).lower
            if rows == columns:
                np.fill_diagonal(lower, np.inf)
            else:
                candidates.offer(columns, rows, np.ascontiguousarray(lower.T))
            candidates.offer(rows, columns, lower)
    return candidates


def _others(a: Points, rows: Indices, b: Points, keep: int) -> Candidates:
    """Candidates in ``b`` for some samples of ``a``, in double precision; a sample is not its own."""
    candidates = Candidates(len(rows), keep)
    here = Some(a, rows, np.float64)
    for columns in blocks(len(b.features), BLOCK):
        lower = Block(here, Some(b, columns, np.float64)).lower
        if a is b:
            lower[rows[:, None] == np.arange(columns.start, columns.stop)] = np.inf
        candidates.offer(slice(None), columns, lower)
    return candidates
