"""The interval of one value, family by family."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import Family, Interval
from evalsuite.stats.evidence import Evidence, Extent, Proportion, Rounds, StudentT, exactly
from evalsuite.stats.jackknife import MIN_GROUPS, jackknife

MIN_ROUNDS = 6
"""Under six rounds no signed-rank interval reaches 95 %."""

Floats = NDArray[np.float64]


class Estimated(Protocol):
    """A value and what its interval follows from: an estimate on its way into a record, or a measurement.

    Attributes:
        value: the estimate.
        family: which statistics hold.
        per_sample: float64 ``[n]``, for means, proportions and MMD (there the projection h, factor 2 included).
        replicates: float64 ``[G]``, values with a group left out (Fréchet, jackknife), by round (latency) or by process
            (memory).
        group_sizes: int64 ``[G]``, where groups were left out.
    """

    @property
    def value(self) -> float: ...
    @property
    def family(self) -> Family: ...
    @property
    def per_sample(self) -> Floats | None: ...
    @property
    def replicates(self) -> Floats | None: ...
    @property
    def group_sizes(self) -> NDArray[np.int64] | None: ...


def interval_of(estimate: Estimated, level: float = 0.95) -> Interval | None:
    """The two-sided confidence interval of a value, conditional on the reference set.

    Returns:
        The interval, or None where :func:`shortage` says why there is none.
    """
    evidence = evidence_of(estimate)
    if evidence is None:
        return None
    low, high = evidence.interval(level)
    return Interval(low=low, high=high, level=level, method=evidence.method)


def evidence_of(estimate: Estimated) -> Evidence | None:
    """What is known of a value, for intervals and limits; None where :func:`shortage` says why."""
    if shortage(estimate):
        return None
    value, per_sample, replicates = estimate.value, estimate.per_sample, estimate.replicates
    match estimate.family:
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
        case Family.COUNT:
            return exactly(value)
        case _ if replicates is not None and estimate.group_sizes is not None:
            # Around the value itself: plain (Fréchet, jackknife) or corrected already (debiased Fréchet).
            spread = jackknife(value, replicates, estimate.group_sizes)
            method = f"delete-group jackknife, {len(replicates)} groups"
            return StudentT(value, spread.standard_error, spread.degrees_of_freedom, method)
    return None


def shortage(estimate: Estimated) -> str:
    """What a value lacks for an interval, or "": the warning to show beside it."""
    samples, repetitions = _length(estimate.per_sample), _length(estimate.replicates)
    match estimate.family:
        case Family.MEAN | Family.MMD:
            found, needed, what = samples, 2, "values by sample"
        case Family.PROPORTION:
            found, needed, what = samples, 1, "values by sample"
        case Family.LATENCY:
            found, needed, what = repetitions, MIN_ROUNDS, "rounds"
        case Family.MEMORY:
            found, needed, what = repetitions, 2, "processes"
        case Family.COUNT:
            return ""
        case _:
            found, needed, what = repetitions, MIN_GROUPS, "groups of samples"
    return f"no interval: it needs {needed} {what}, has {found}" if found < needed else ""


def _length(array: Floats | None) -> int:
    return 0 if array is None else len(array)
