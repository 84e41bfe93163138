"""The Pareto front of quality against a price, and how sure each place on it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from evalsuite.compare.better import better
from evalsuite.records import Front, Measurement, Standing
from evalsuite.stats.multiple import holm

LEVEL = 0.05


class Offer(NamedTuple):
    """What a case offers, and what it costs."""

    quality: Measurement
    price: Measurement


def pareto_front(offers: Sequence[Offer], target: str | None, level: float = LEVEL) -> Front:
    """Where each case stands.

    That B is better than A in both is shown if it is shown in each, so the larger of the two one-sided p-values counts
    (Berger 1982, intersection-union). Over all ordered pairs they are corrected by Holm: A is ``off`` if any B is left.
    That A is better than B in one of the two has twice the smaller p-value (Bonferroni). A is ``on`` if it is so
    against every B: the largest counts, corrected by Holm over the cases.

    Args:
        offers: at least one; each with the same two metrics, which have directions.
        target: of all cases; None where they are of several.
        level: of each of the two claims, over the whole front.
    """
    count = len(offers)
    beaten: dict[tuple[int, int], float] = {}  # (a, b): b is better in both
    stands: list[float] = [0.0] * count
    for a, b in combinations(range(count), 2):
        quality = better(offers[a].quality, offers[b].quality)
        price = better(offers[a].price, offers[b].price)
        beaten[a, b], beaten[b, a] = max(quality.second, price.second), max(quality.first, price.first)
        stands[a] = max(stands[a], min(1.0, 2 * min(quality.first, price.first)))
        stands[b] = max(stands[b], min(1.0, 2 * min(quality.second, price.second)))
    off = dict(zip(beaten, holm(list(beaten.values())), strict=True))
    on = holm(stands)
    order = sorted(range(count), key=lambda a: offers[a].price.value)
    quality_label, price_label = (measurement.name for measurement in offers[0])
    return Front(
        target=target,
        quality=quality_label,
        price=price_label,
        level=level,
        standings=[_standing(a, offers, off, on[a], level) for a in order],
    )


def _standing(
    a: int, offers: Sequence[Offer], off: dict[tuple[int, int], float], p_on: float, level: float
) -> Standing:
    quality, price = offers[a]
    others = {b: p for (one, b), p in off.items() if one == a}
    beaten_by = [offers[b].quality.case_key for b, p in others.items() if p <= level]
    return Standing(
        case_key=quality.case_key,
        model=quality.model,
        target=quality.target,
        quality=quality.identity,
        price=price.identity,
        place="off" if beaten_by else "on" if p_on <= level else "unsure",
        beaten_by=beaten_by,
        p_off=min(others.values(), default=1.0),
        p_on=p_on,
    )
