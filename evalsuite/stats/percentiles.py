"""How many values a percentile needs."""

from __future__ import annotations

import math

CONFIDENCE = 0.99


def least_values(percentile: int) -> int:
    """The fewest values of which the largest lies above the percentile with 99 % confidence: 44 for p90, 459 for p99.

    All n independent values lie below it with probability p^n, which must be at most 1 %.
    """
    share = max(percentile, 100 - percentile) / 100
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(share))
