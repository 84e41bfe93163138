"""Squared distances between features: bounds from fast matrix products, exact values for the pairs that need them.

The distance of two samples is that of their difference, summed in float64: it is the same whatever else stands in the
block, so copies are at distance 0 and ties are ties. Matrix products are far faster but round, by an amount that is
known. They settle all but the few pairs that lie within that amount of what they are compared with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evalsuite.metrics._features import Floats, Floats32

Indices = NDArray[np.int64]
Precision = type[np.float32] | type[np.float64]

BLOCK = 1024
"""Samples on each side of a block of the distance matrix."""

MOST_DOUBT = 0.01
"""Share of pairs in doubt above which a product in double precision is cheaper than their exact distances."""

GATHERED = 2**20
"""Float64 values in memory at once for exact distances."""


@dataclass(frozen=True)
class Points:
    """Features, and coordinates that are shifted and scaled so that products round little and never overflow.

    Coordinates, ``features * scale - centre``, are made a block at a time: a copy of all would be most of the memory.

    Attributes:
        features: float32 ``[N, D]``.
        centre: float32 ``[D]``, and ``scale``, a power of two: the same for all points that are compared.
    """

    features: Floats32
    centre: Floats32
    scale: float

    @cached_property
    def squared_norms(self) -> Floats:
        """Of the coordinates in double precision, float64 ``[N]``."""
        norms = np.empty(len(self.features))
        for rows in blocks(len(norms), BLOCK):
            precise = Some(self, rows, np.float64).coordinates
            norms[rows] = np.einsum("ij,ij->i", precise, precise)
        return norms


def points(*sets: Floats32) -> tuple[Points, ...]:
    """Features ``[N, D]`` in common coordinates, with the mean of the last set at 0."""
    largest = max(float(abs(extreme)) for features in sets for extreme in (features.min(), features.max()))
    scale = float(2.0 ** -np.ceil(np.log2(largest))) if largest > 0 else 1.0
    centre = (sets[-1].mean(axis=0, dtype=np.float64) * scale).astype(np.float32)
    return tuple(Points(features, centre, scale) for features in sets)


@dataclass(frozen=True)
class Some:
    """Some of the points, with their coordinates in either precision."""

    of: Points
    rows: slice | Indices
    precision: Precision = np.float32

    @cached_property
    def features(self) -> Floats32:
        """float32 ``[B, D]``."""
        return self.of.features[self.rows]

    @cached_property
    def coordinates(self) -> NDArray[np.floating]:
        """``[B, D]``."""
        coordinates = self.features * self.precision(self.of.scale)
        coordinates -= self.of.centre
        return coordinates

    @cached_property
    def squared_norms(self) -> Floats:
        """float64 ``[B]``."""
        return self.of.squared_norms[self.rows]

    @cached_property
    def precise(self) -> Some:
        """The same in double precision."""
        return Some(self.of, self.rows, np.float64)


@dataclass(frozen=True)
class Block:
    """A block of the matrix of squared distances."""

    a: Some
    b: Some

    @cached_property
    def lower(self) -> Floats:
        """Lower bounds, float64 ``[A, B]``; may be below 0."""
        shrunk = 1 - self._rounding
        bounds = (self.a.coordinates @ self.b.coordinates.T).astype(np.float64)
        bounds *= -2
        bounds += shrunk * self.a.squared_norms[:, None]
        bounds += shrunk * self.b.squared_norms
        bounds *= self.a.of.scale**-2
        return bounds

    @cached_property
    def upper(self) -> Floats:
        """Upper bounds, float64 ``[A, B]``."""
        width = 2 * self._rounding * self.a.of.scale**-2
        bounds = self.lower + width * self.a.squared_norms[:, None]
        bounds += width * self.b.squared_norms
        return bounds

    @property
    def _rounding(self) -> float:
        """How far a distance may be off, as a share of the sum of both squared norms.

        Errors of a product of length D grow with the root of D (Higham and Mary 2019, A new approach to probabilistic
        rounding error analysis, theorem 2.4 with lambda = 8); the 8 beside it is for norms, shift and scale.
        """
        unit = float(np.finfo(self.a.precision).eps) / 2
        return (8 * float(np.sqrt(self.a.features.shape[1])) + 8) * unit

    def within(self, squared_radii: Floats, part: slice | Indices = slice(None)) -> NDArray[np.bool_]:
        """Whether distances are at most these, exactly; bool ``[part, B]``.

        Args:
            squared_radii: one for each column, or ``[part, 1]``.
            part: which of the block's rows are asked for.
        """
        inside = self.upper[part] <= squared_radii
        doubtful = inside ^ (self.lower[part] <= squared_radii)
        if self.a.precision is np.float32 and doubtful.sum() > MOST_DOUBT * doubtful.size:
            return self._precise.within(squared_radii, part)
        some = np.flatnonzero(doubtful.any(axis=1))
        if len(some):
            rows, columns = np.nonzero(doubtful[some])
            rows = some[rows]
            of_block = np.arange(len(self.lower))[part][rows]
            distances = squared_distances(self.a.features, of_block, self.b.features, columns)
            inside[rows, columns] = distances <= np.broadcast_to(squared_radii, inside.shape)[rows, columns]
        return inside

    @cached_property
    def _precise(self) -> Block:
        return Block(self.a.precise, self.b.precise)


def squared_distances(a: Floats32, rows: Indices, b: Floats32, columns: Indices) -> Floats:
    """Exact squared distances of pairs of rows, float64 ``[P]``; symmetric, and independent of the other pairs."""
    distances = np.empty(len(rows))
    for pairs in blocks(len(rows), max(1, GATHERED // a.shape[1])):
        difference = a[rows[pairs]].astype(np.float64)
        difference -= b[columns[pairs]]
        distances[pairs] = np.einsum("ij,ij->i", difference, difference)
    return distances


def blocks(length: int, size: int) -> Iterator[slice]:
    """Slices of at most this size that cover a range."""
    return (slice(start, min(start + size, length)) for start in range(0, length, size))
