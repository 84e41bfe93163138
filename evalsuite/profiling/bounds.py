"""How much unrest of the machine each profile forgives before timings are INVALID."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evalsuite.profiles import ProfileName


@dataclass(frozen=True)
class Bounds:
    """What is still valid.

    Attributes:
        drift: relative change of the reference computation's time from the first third of the rounds to the last.
        noise: relative spread of the rounds' median calls: interquartile range / 1.349 / median, which is the standard
            deviation of normal values and does not mind a few outliers.
        waiting: share of the time that the model's threads were ready to run and had to wait for a processor, in the
            median round.
        alone: whether no other process may compute on the GPU.
        audited: pairs of a new and a repeated request in the cache audit.
    """

    drift: float
    noise: float
    waiting: float
    alone: bool
    audited: int


BOUNDS: Mapping[ProfileName, Bounds] = {
    "ci": Bounds(drift=0.5, noise=1.0, waiting=0.75, alone=False, audited=5),
    "standard": Bounds(drift=0.2, noise=0.3, waiting=0.3, alone=True, audited=7),
    "strict": Bounds(drift=0.05, noise=0.05, waiting=0.05, alone=True, audited=9),
}
"""``ci`` runs on machines that others use: it refuses only what makes numbers meaningless, such as a clock that halves.
``standard`` forgives a desktop's background work. ``strict`` is for a machine of one's own.

Turns in a balanced order keep the ratio of two models right under a drift, and noise widens its interval; so these
bounds protect the times themselves, and may be wide."""
