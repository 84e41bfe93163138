"""How large a difference would have been found, and how many samples would find a given one."""

from __future__ import annotations

import math

from scipy.stats import t

POWER = 0.8


def minimum_detectable_effect(standard_error: float, degrees_of_freedom: float, alpha: float = 0.05) -> float:
    """The difference that a two-sided test at ``alpha`` finds with 80 % power."""
    return float((t.ppf(1 - alpha / 2, degrees_of_freedom) + t.ppf(POWER, degrees_of_freedom)) * standard_error)


def samples_needed(n: int, detectable: float, wanted: float) -> int:
    """Samples with which ``wanted`` would be detectable, given what ``n`` samples detect; errors shrink as 1/sqrt(n)."""
    return math.ceil(n * (detectable / wanted) ** 2)
