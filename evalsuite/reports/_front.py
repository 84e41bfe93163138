"""Who is on a Pareto front as far as intervals tell: on it, off it, or perhaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import Measurement

Place = Literal["on", "unsure", "off"]


class Reach(NamedTuple):
    """Where the true value lies as a cost, from the best end to the worst: all that is known of it."""

    best: float
    worst: float


def reach(cell: Measurement) -> Reach:
    """By the interval; anywhere where there is none, or the value is INVALID."""
    if cell.interval is None or cell.invalid:
        return Reach(-math.inf, math.inf)
    ends = cell.interval.low, cell.interval.high
    return Reach(-ends[1], -ends[0]) if cell.higher_is_better else Reach(*ends)


def front_places(offers: Sequence[tuple[Measurement, Measurement]]) -> list[Place]:
    """Of entries with a quality and a price each.

    One is off the front if another is at least as good in both and better in one whatever their true values are, within
    their intervals; on it if no other can be so; else unsure. Intervals are taken one by one, so this is more careful
    than paired comparisons, and holds for runs that share nothing.
    """
    quality, price = (np.array([reach(offer[side]) for offer in offers]).reshape(-1, 2) for side in (0, 1))
    sure = _beats(quality[:, 1], quality[:, 0], price[:, 1], price[:, 0])
    possible = _beats(quality[:, 0], quality[:, 1], price[:, 0], price[:, 1])
    return ["off" if off else "unsure" if perhaps else "on" for off, perhaps in zip(sure, possible, strict=True)]


Ends = NDArray[np.float64]


def _beats(quality: Ends, own_quality: Ends, price: Ends, own_price: Ends) -> list[bool]:
    """Whether any other entry, with these ends of its reach, beats each with those."""
    no_worse = (quality[:, None] <= own_quality) & (price[:, None] <= own_price)
    better = (quality[:, None] < own_quality) | (price[:, None] < own_price)
    others = ~np.eye(len(quality), dtype=np.bool_)
    return [bool(column.any()) for column in (no_worse & better & others).T]
