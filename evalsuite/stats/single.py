"""The interval of one value, family by family."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from evalsuite.records import Family, Interval
from evalsuite.stats.jackknife import MIN_GROUPS, jackknife
from evalsuite.stats.proportions import wilson
from evalsuite.stats.signed_rank import hodges_lehmann

MIN_ROUNDS = 6
"""Under six rounds no signed-rank interval reaches 95 %."""

Floats = NDArray[np.float64]


def interval_of(
    family: Family,
    value: float,
    *,
    n: int,
    per_sample: Floats | None = None,
    replicates: Floats | None = None,
    group_sizes: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> Interval | None:
    """The confidence interval of a value, conditional on the reference set.

    Args:
        family: which statistics hold.
        value: the estimate.
        n: samples, rounds or processes.
        per_sample: float64 ``[n]``, for means, proportions and MMD (there the projection h, factor 2 included).
        replicates: float64 ``[G]``, values with a group left out (Fréchet, jackknife), by round (latency) or by process
            (memory).
        group_sizes: int64 ``[G]``.
        level: two-sided.

    Returns:
        The interval, or None where there are too few samples, groups or rounds for one.
    """
    match family:
        case Family.MEAN | Family.MMD if per_sample is not None and n >= 2:
            return _t_interval(value, float(np.std(per_sample, ddof=1)) / np.sqrt(n), n - 1, level, "t over samples")
        case Family.PROPORTION if n >= 1:
            low, high = wilson(value * n, n, level)
            return Interval(low=low, high=high, level=level, method="Wilson score")
        case Family.FRECHET | Family.FRECHET_DEBIASED | Family.JACKKNIFE:
            return _jackknife_interval(value, replicates, group_sizes, level)
        case Family.LATENCY if replicates is not None and len(replicates) >= MIN_ROUNDS:
            return _rounds_interval(value, replicates, level)
        case Family.MEMORY if replicates is not None and len(replicates) >= 2:
            low, high = float(replicates.min()), float(replicates.max())
            return Interval(low=low, high=high, level=level, method=f"range of {len(replicates)} processes")
    return None


def _t_interval(value: float, standard_error: float, df: float, level: float, method: str) -> Interval:
    half = float(t.ppf((1 + level) / 2, df)) * float(standard_error)
    return Interval(low=value - half, high=value + half, level=level, method=method)


def _jackknife_interval(
    value: float, replicates: Floats | None, sizes: NDArray[np.int64] | None, level: float
) -> Interval | None:
    if replicates is None or sizes is None or len(replicates) < MIN_GROUPS:
        return None
    estimate = jackknife(value, replicates, sizes)
    method = f"delete-group jackknife, {len(replicates)} groups"
    return _t_interval(value, estimate.standard_error, estimate.degrees_of_freedom, level, method)


def _rounds_interval(value: float, rounds: Floats, level: float) -> Interval:
    """The relative uncertainty of the rounds' centre, around the value over all calls."""
    centre = hodges_lehmann(np.log(rounds), level)
    low, high = value * np.exp(centre.low - centre.value), value * np.exp(centre.high - centre.value)
    return Interval(low=float(low), high=float(high), level=level, method=f"signed-rank over {len(rounds)} rounds")
