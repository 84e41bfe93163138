"""The interval of one value, family by family."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import Family, Interval
from evalsuite.stats.evidence import Evidence, Extent, Proportion, Rounds, StudentT
from evalsuite.stats.jackknife import MIN_GROUPS, jackknife

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
        The interval, or None where :func:`shortage` says why there is none.
    """
    evidence = evidence_of(family, value, per_sample=per_sample, replicates=replicates, group_sizes=group_sizes)
    if evidence is None:
        return None
    low, high = evidence.interval(level)
    return Interval(low=low, high=high, level=level, method=evidence.method)


def evidence_of(
    family: Family,
    value: float,
    *,
    per_sample: Floats | None = None,
    replicates: Floats | None = None,
    group_sizes: NDArray[np.int64] | None = None,
) -> Evidence | None:
    """What is known of a value, for intervals and limits; arguments and None as in :func:`interval_of`."""
    if shortage(family, per_sample=per_sample, replicates=replicates):
        return None
    match family:
        case Family.MEAN | Family.MMD if per_sample is not None:
            # Given the reference, h is the Hájek projection of the U-statistic, so its variance is var(h) / n.
            error = float(np.std(per_sample, ddof=1) / np.sqrt(len(per_sample)))
            return StudentT(value, error, len(per_sample) - 1, "t over samples")
        case Family.PROPORTION if per_sample is not None:
            return Proportion(int(per_sample.sum()), len(per_sample))
        case Family.LATENCY if replicates is not None:
            return Rounds(value, np.log(replicates), f"signed-rank over {len(replicates)} rounds")
        case Family.MEMORY if replicates is not None:
            low, high = float(replicates.min()), float(replicates.max())
            return Extent(value, low, high, f"range of {len(replicates)} processes")
        case _ if replicates is not None and group_sizes is not None:
            # Around the value itself: plain (Fréchet, jackknife) or corrected already (debiased Fréchet).
            spread = jackknife(value, replicates, group_sizes)
            method = f"delete-group jackknife, {len(replicates)} groups"
            return StudentT(value, spread.standard_error, spread.degrees_of_freedom, method)
    return None


def shortage(family: Family, *, per_sample: Floats | None = None, replicates: Floats | None = None) -> str:
    """What a value lacks for an interval, or "": the warning to show beside it."""
    match family:
        case Family.MEAN | Family.MMD | Family.PROPORTION:
            found, needed, what = _length(per_sample), 1 if family == Family.PROPORTION else 2, "values by sample"
        case Family.LATENCY:
            found, needed, what = _length(replicates), MIN_ROUNDS, "rounds"
        case Family.MEMORY:
            found, needed, what = _length(replicates), 2, "processes"
        case _:
            found, needed, what = _length(replicates), MIN_GROUPS, "groups of samples"
    return f"no interval: it needs {needed} {what}, has {found}" if found < needed else ""


def _length(array: Floats | None) -> int:
    return 0 if array is None else len(array)
