"""How large a difference would have been found, and how many samples would find a given one."""

from __future__ import annotations

import math

from scipy.stats import norm, t

POWER = 0.8


def minimum_detectable_effect(standard_error: float, degrees_of_freedom: float, alpha: float = 0.05) -> float:
    """The difference that a two-sided test at ``alpha`` finds with 80 % power."""
    return float((t.ppf(1 - alpha / 2, degrees_of_freedom) + t.ppf(POWER, degrees_of_freedom)) * standard_error)


def samples_needed(n: int, standard_error: float, distance: float, alpha: float) -> float:
    """Samples with which a one-sided test at ``alpha`` finds a true value ``distance`` from the bound with 80 % power.

    Args:
        n: samples that gave the standard error, which shrinks as 1 / sqrt(n).
        standard_error: in the unit of the distance.
        distance: 0 or above; at 0 no number is large enough and the result is infinite.
        alpha: one-sided level.
    """
    if distance == 0:
        return math.inf
    return math.ceil(n * (float(norm.ppf(1 - alpha) + norm.ppf(POWER)) * standard_error / distance) ** 2)
