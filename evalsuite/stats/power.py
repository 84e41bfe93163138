"""How large a difference would have been found, and how many samples would find a given one."""

from __future__ import annotations

import math

from scipy.stats import t

POWER = 0.8


def minimum_detectable_effect(standard_error: float, degrees_of_freedom: float, alpha: float = 0.05) -> float:
    """The difference that a two-sided test at ``alpha`` finds with 80 % power."""
    return float((t.ppf(1 - alpha / 2, degrees_of_freedom) + t.ppf(POWER, degrees_of_freedom)) * standard_error)


def samples_needed(
    n: int,
    standard_error: float,
    distance: float,
    alpha: float,
    *,
    degrees_of_freedom: float = math.inf,
    power: float = POWER,
) -> float:
    """Samples with which a one-sided test at ``alpha`` finds a true value ``distance`` from the bound.

    Args:
        n: samples that gave the standard error, which shrinks as 1 / sqrt(n).
        standard_error: in the unit of the distance.
        distance: 0 or above; at 0 no number is large enough and the result is infinite.
        alpha: one-sided level.
        degrees_of_freedom: of the error; taken to stay, as those of a fixed number of groups do.
        power: share of runs that find it.
    """
    if distance == 0:
        return math.inf
    quantiles = float(t.ppf(1 - alpha, degrees_of_freedom) + t.ppf(power, degrees_of_freedom))
    return math.ceil(n * (quantiles * standard_error / distance) ** 2)
