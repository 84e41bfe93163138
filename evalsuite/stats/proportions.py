"""Score intervals for one proportion and for the difference of two paired ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm


class Range(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


def wilson(successes: float, n: int, level: float = 0.95) -> Range:
    """Wilson's score interval (Wilson 1927), without continuity correction."""
    z = float(norm.ppf((1 + level) / 2))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Range(max(0.0, centre - half), min(1.0, centre + half))


def discordant(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[int, int]:
    """How often only ``a`` is 1, and how often only ``b`` is, of paired 0/1 values."""
    return int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())


def tango_score(only_a: int, only_b: int, n: int, difference: float) -> float:
    """Tango's score statistic for "the paired difference is ``difference``" (Tango 1998, eq. 7); about N(0, 1)."""
    quadratic = 2 * n
    linear = -only_a - only_b + (2 * n - only_a + only_b) * difference
    constant = -only_b * difference * (1 - difference)
    only_b_share = (math.sqrt(max(0.0, linear**2 - 4 * quadratic * constant)) - linear) / (2 * quadratic)
    variance = n * (2 * only_b_share + difference * (1 - difference))
    excess = only_a - only_b - n * difference
    if variance <= 0:
        return 0.0 if excess == 0 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def tango(only_a: int, only_b: int, n: int, level: float = 0.95) -> Range:
    """Tango's score interval for the difference ``p_a - p_b`` of paired proportions (Tango 1998)."""
    z = float(norm.ppf((1 + level) / 2))
    observed = (only_a - only_b) / n
    edge = 1 - 1e-12

    def end(target: float, outer: float) -> float:
        reaches = abs(tango_score(only_a, only_b, n, outer)) > abs(target)
        if not reaches or observed == outer:
            return outer
        return float(brentq(lambda d: tango_score(only_a, only_b, n, d) - target, *sorted((observed, outer))))

    return Range(end(z, -edge), end(-z, edge))
