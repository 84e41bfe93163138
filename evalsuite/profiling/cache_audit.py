"""Whether a model answers a repeated request from a cache; after MLPerf's audit of the same rule (TEST04)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST_SHARE = 0.8
"""A repetition that takes less of a new request's time is much faster."""

LEAST_SAVED_S = 5e-4
"""Less is the noise of calls that take no time at all."""


def cached_share(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The time of a repeated request as a share of a new one's, where it shows a cache; else None.

    Every repetition must be faster, and the fastest of them much faster than the fastest new request: on a busy machine
    some calls take long, whether new or not, but hardly all of them.

    Args:
        pairs: seconds of new requests and of their repetitions.
    """
    first, again = np.array(pairs).T
    share, saved = again.min() / max(first.min(), 1e-9), first.min() - again.min()
    return float(share) if (again < first).all() and saved > LEAST_SAVED_S and share < LEAST_SHARE else None
