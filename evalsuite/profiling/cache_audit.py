"""Whether a model answers a repeated request from a cache; after MLPerf's audit of the same rule (TEST04)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST_SHARE = 0.8
"""A repetition that takes less of a new request's time is much faster; noise hardly gets there in all pairs."""


def cached_share(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The median time of a repeated request as a share of a new one's, where it shows a cache; else None.

    Args:
        pairs: seconds of new requests and of their repetitions.
    """
    share = float(np.median([again / max(first, 1e-9) for first, again in pairs]))
    return share if share < LEAST_SHARE and all(again < first for first, again in pairs) else None
