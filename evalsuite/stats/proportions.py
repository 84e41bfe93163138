"""Score intervals for one proportion and for the difference of two paired ones, and adjusted moments for the rest."""

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


class Moments(NamedTuple):
    """Adjusted centre and standard error of a difference of proportions; about normal."""

    centre: float
    standard_error: float


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
        if not reaches:
            return math.copysign(1.0, outer)
        return float(brentq(lambda d: tango_score(only_a, only_b, n, d) - target, *sorted((observed, outer))))

    return Range(end(z, -edge), end(-z, edge))


def paired_moments(a: NDArray[np.float64], b: NDArray[np.float64], multiplier: float) -> Moments:
    """Of ``p_a - multiplier * p_b`` from the same samples, with half a sample added to each of the four outcomes
    (Agresti and Min 2005, section 3), so that the error does not vanish where all samples agree.

    Args:
        a, b: 0 or 1, float64 ``[n]``.
        multiplier: 1 for the plain difference.
    """
    only_a, only_b = discordant(a, b)
    both = int((a * b).sum())
    counts = np.array([both, only_a, only_b, len(a) - both - only_a - only_b]) + 0.5
    values = np.array([1 - multiplier, 1.0, -multiplier, 0.0])
    total = counts.sum()
    mean = float(counts @ values / total)
    return Moments(mean, math.sqrt((counts @ values**2 / total - mean**2) / total))


def unpaired_moments(successes_a: int, n_a: int, successes_b: int, n_b: int, multiplier: float) -> Moments:
    """Of ``p_a - multiplier * p_b`` from two sets of samples, with a success and a failure added to each (Agresti and
    Caffo 2000)."""
    share_a, share_b = (successes_a + 1) / (n_a + 2), (successes_b + 1) / (n_b + 2)
    variance = share_a * (1 - share_a) / (n_a + 2) + multiplier**2 * share_b * (1 - share_b) / (n_b + 2)
    return Moments(share_a - multiplier * share_b, math.sqrt(variance))
