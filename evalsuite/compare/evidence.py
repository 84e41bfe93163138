"""What two measurements say about ``candidate - factor * against``, family by family.

One mechanism serves plain differences (factor 1), relative margins (factor ``1 + delta``, so that the margin's own
error counts) and limits (no ``against``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from evalsuite.records import Family, Interval, Measurement
from evalsuite.stats import signed_rank
from evalsuite.stats.jackknife import MIN_GROUPS, jackknife
from evalsuite.stats.power import minimum_detectable_effect
from evalsuite.stats.proportions import discordant, tango, tango_score

Floats = NDArray[np.float64]

MEMORY_TOLERANCE = 0.02
"""Processes of the same model differ by less than this share of their peak."""
MEMORY_TOLERANCE_BYTES = 2**20

TIMED = (Family.LATENCY, Family.MEMORY)
"""Families that are compared as ratios."""

FRECHET_NOTE = "bias-corrected, so it is not the difference of the printed values"


class Evidence(Protocol):
    """The estimate of ``candidate - factor * against`` (a ratio for timings and memory), and tests about it."""

    @property
    def value(self) -> float: ...

    @property
    def paired(self) -> bool: ...

    @property
    def note(self) -> str: ...

    def interval(self, level: float) -> Interval | None:
        """Two-sided; None where there is none."""
        ...

    def p_above(self, bound: float) -> float:
        """p-value of "it is at most ``bound``": small if it is shown to be above."""
        ...

    def p_below(self, bound: float) -> float:
        """p-value of "it is at least ``bound``": small if it is shown to be below."""
        ...

    def detectable(self) -> float | None:
        """The difference that would be found with 80 % power at 5 %; None where there is no test."""
        ...


@dataclass(frozen=True)
class Linear:
    """An estimate with a standard error and Student's t."""

    value: float
    standard_error: float
    degrees_of_freedom: float
    paired: bool
    method: str
    note: str = ""

    def interval(self, level: float) -> Interval | None:
        half = float(t.ppf((1 + level) / 2, self.degrees_of_freedom)) * self.standard_error
        return Interval(low=self.value - half, high=self.value + half, level=level, method=self.method)

    def p_above(self, bound: float) -> float:
        return self._tail(self.value - bound)

    def p_below(self, bound: float) -> float:
        return self._tail(bound - self.value)

    def _tail(self, excess: float) -> float:
        if self.standard_error == 0:
            return 0.0 if excess > 0 else 1.0
        return float(t.sf(excess / self.standard_error, self.degrees_of_freedom))

    def detectable(self) -> float | None:
        return minimum_detectable_effect(self.standard_error, self.degrees_of_freedom)


@dataclass(frozen=True)
class PairedProportions:
    """The difference of two proportions on the same samples, by Tango's score."""

    only_candidate: int
    only_against: int
    n: int
    paired: bool = True
    note: str = ""

    @property
    def value(self) -> float:
        return (self.only_candidate - self.only_against) / self.n

    def interval(self, level: float) -> Interval | None:
        low, high = tango(self.only_candidate, self.only_against, self.n, level)
        return Interval(low=low, high=high, level=level, method="Tango score, paired")

    def p_above(self, bound: float) -> float:
        return float(norm.sf(self._score(bound)))

    def p_below(self, bound: float) -> float:
        return float(norm.cdf(self._score(bound)))

    def _score(self, bound: float) -> float:
        return tango_score(self.only_candidate, self.only_against, self.n, bound)

    def detectable(self) -> float | None:
        changed = self.only_candidate + self.only_against
        variance = (changed / self.n - self.value**2) / self.n
        return minimum_detectable_effect(math.sqrt(max(0.0, variance)), math.inf)


@dataclass(frozen=True)
class Rounds:
    """A ratio by its logarithm in each round, by the signed-rank test.

    Attributes:
        value: the ratio.
        logs: float64 ``[R]``, logarithms whose centre is that of the value.
    """

    value: float
    logs: Floats
    paired: bool = True
    note: str = ""

    def interval(self, level: float) -> Interval | None:
        centre = signed_rank.hodges_lehmann(self.logs, level)
        low, high = math.exp(centre.low), math.exp(centre.high)
        return Interval(low=low, high=high, level=level, method=f"signed-rank over {len(self.logs)} rounds")

    def p_above(self, bound: float) -> float:
        return signed_rank.p_value(self.logs - math.log(bound), "greater")

    def p_below(self, bound: float) -> float:
        return signed_rank.p_value(self.logs - math.log(bound), "less")

    def detectable(self) -> float | None:
        """As a share: 0.05 for a ratio of 1.05."""
        error = float(np.std(self.logs, ddof=1)) / math.sqrt(len(self.logs))
        return math.expm1(minimum_detectable_effect(error, len(self.logs) - 1))


@dataclass(frozen=True)
class Memory:
    """A ratio of peaks, which is no matter of chance: above or below by more than the tolerance, or equal."""

    value: float
    tolerance: float
    low: float
    high: float
    paired: bool = False

    @property
    def note(self) -> str:
        return f"no p-value: peaks within {self.tolerance:.1%} count as equal"

    def interval(self, level: float) -> Interval | None:
        return Interval(low=self.low, high=self.high, level=level, method="range over pairs of processes")

    def p_above(self, bound: float) -> float:
        return 0.0 if self.value > bound * (1 + self.tolerance) else 1.0

    def p_below(self, bound: float) -> float:
        return 1.0 - self.p_above(bound)

    def detectable(self) -> float | None:
        return None


def evidence_of(candidate: Measurement, against: Measurement | None, factor: float = 1.0) -> Evidence | None:
    """What is known of ``candidate - factor * against``, of their ratio, or of the candidate alone.

    Both must have passed :func:`evalsuite.compare.difference.incomparable`.

    Returns:
        None where there are too few samples, groups or rounds for any statement.
    """
    match candidate.family:
        case Family.LATENCY:
            return _rounds(candidate, against)
        case Family.MEMORY:
            return _memory(candidate, against)
        case Family.FRECHET | Family.FRECHET_DEBIASED | Family.JACKKNIFE:
            return _from_groups(candidate, against, factor)
        case Family.PROPORTION if against is not None and factor == 1.0 and paired_by_sample(candidate, against):
            return _proportions(candidate, against)
    return _from_samples(candidate, against, factor)


def paired_by_sample(a: Measurement, b: Measurement) -> bool:
    """Whether both hold the same samples, in the same order."""
    if a.sample_ids is None or b.sample_ids is None or a.per_sample is None or b.per_sample is None:
        return False
    return len(a.per_sample) == len(b.per_sample) and np.array_equal(a.sample_ids, b.sample_ids)


def _proportions(candidate: Measurement, against: Measurement) -> Evidence | None:
    assert candidate.per_sample is not None and against.per_sample is not None
    return PairedProportions(*discordant(candidate.per_sample, against.per_sample), n=candidate.n)


def _from_samples(candidate: Measurement, against: Measurement | None, factor: float) -> Evidence | None:
    own = candidate.per_sample
    if own is None or len(own) < 2:
        return None
    if against is None:
        return Linear(candidate.value, _error(own), len(own) - 1, False, "t over samples")
    other = against.per_sample
    if other is None or len(other) < 2:
        return None
    value = candidate.value - factor * against.value
    if paired_by_sample(candidate, against):
        return Linear(value, _error(own - factor * other), len(own) - 1, True, "paired t over samples")
    errors = _error(own), factor * _error(other)
    return Linear(value, math.hypot(*errors), _welch(errors, (len(own), len(other))), False, "Welch's t, unpaired")


def _from_groups(candidate: Measurement, against: Measurement | None, factor: float) -> Evidence | None:
    """Delete-group jackknife: bias-corrected for plain Fréchet distances, whose bias depends on the model.

    Bias correction is wrong for nearest-neighbour statistics, and a debiased distance has had it already.
    """
    if not _has_groups(candidate) or (against is not None and not _has_groups(against)):
        return None
    assert candidate.replicates is not None and candidate.group_sizes is not None
    if against is None:
        single = jackknife(candidate.value, candidate.replicates, candidate.group_sizes)
        return Linear(
            candidate.value, single.standard_error, single.degrees_of_freedom, False, "delete-group jackknife"
        )
    assert against.replicates is not None and against.group_sizes is not None
    corrected = candidate.family == Family.FRECHET
    note = FRECHET_NOTE if corrected else ""
    plain = candidate.value - factor * against.value
    if _same_groups(candidate, against):
        joint = jackknife(plain, candidate.replicates - factor * against.replicates, candidate.group_sizes)
        value = joint.value if corrected else plain
        return Linear(
            value, joint.standard_error, joint.degrees_of_freedom, True, "paired delete-group jackknife", note
        )
    own = jackknife(candidate.value, candidate.replicates, candidate.group_sizes)
    other = jackknife(against.value, against.replicates, against.group_sizes)
    value = own.value - factor * other.value if corrected else plain
    errors = own.standard_error, factor * other.standard_error
    freedom = _welch(errors, (len(candidate.replicates), len(against.replicates)))
    return Linear(value, math.hypot(*errors), freedom, False, "delete-group jackknife, unpaired", note)


def _has_groups(measurement: Measurement) -> bool:
    sizes = measurement.group_sizes
    return measurement.replicates is not None and sizes is not None and len(sizes) >= MIN_GROUPS


def _same_groups(a: Measurement, b: Measurement) -> bool:
    ids = a.sample_ids is not None and b.sample_ids is not None and np.array_equal(a.sample_ids, b.sample_ids)
    return (
        ids and a.group_sizes is not None and b.group_sizes is not None and np.array_equal(a.group_sizes, b.group_sizes)
    )


def _rounds(candidate: Measurement, against: Measurement | None) -> Evidence | None:
    own = candidate.replicates
    if own is None or len(own) < 2:
        return None
    if against is None:
        logs = np.log(own)
        return Rounds(candidate.value, logs - np.median(logs) + math.log(candidate.value), paired=False)
    other = against.replicates
    if other is None or len(other) != len(own):
        return None
    logs = np.log(own) - np.log(other)
    return Rounds(math.exp(signed_rank.hodges_lehmann(logs).value), logs, note="ratio of the medians of paired rounds")


def _memory(candidate: Measurement, against: Measurement | None) -> Evidence | None:
    own = candidate.replicates
    if own is None or len(own) == 0:
        return None
    if against is None:
        tolerance = _memory_tolerance(candidate.value)
        return Memory(candidate.value, tolerance, float(own.min()), float(own.max()))
    other = against.replicates
    if other is None or len(other) == 0 or against.value <= 0:
        return None
    low, high = float(own.min() / other.max()), float(own.max() / other.min())
    return Memory(candidate.value / against.value, _memory_tolerance(against.value), low, high)


def _memory_tolerance(value: float) -> float:
    return max(MEMORY_TOLERANCE, MEMORY_TOLERANCE_BYTES / max(value, 1.0))


def _error(values: Floats) -> float:
    return float(np.std(values, ddof=1)) / math.sqrt(len(values))


def _welch(errors: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Welch-Satterthwaite degrees of freedom."""
    squares = [error**2 for error in errors]
    denominator = sum(square**2 / (size - 1) for square, size in zip(squares, sizes, strict=True))
    return float(sum(squares) ** 2 / denominator) if denominator > 0 else float(min(sizes) - 1)
