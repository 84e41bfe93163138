"""What is known of one quantity: its estimate, its interval, and one-sided p-values against any bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from evalsuite.records import EXACT
from evalsuite.stats import signed_rank
from evalsuite.stats.proportions import Range, tango, tango_score, wilson

Floats = NDArray[np.float64]


class Evidence(Protocol):
    """An estimate with everything that can be asked of it.

    Attributes:
        value: the estimate.
        standard_error: of the value, on the log scale for ratios; None where the value is taken as exact.
        degrees_of_freedom: of that error; infinite where it follows from a normal approximation.
        method: how intervals are made, in a few words.
    """

    @property
    def value(self) -> float: ...
    @property
    def standard_error(self) -> float | None: ...
    @property
    def degrees_of_freedom(self) -> float | None: ...
    @property
    def method(self) -> str: ...

    def interval(self, level: float) -> Range:
        """Two-sided confidence interval."""
        ...

    def below(self, bound: float) -> float:
        """p-value of "the true value is ``bound`` or above": small means that it lies below."""
        ...

    def above(self, bound: float) -> float:
        """p-value of "the true value is ``bound`` or below": small means that it lies above."""
        ...

    def distance(self, bound: float) -> float:
        """How far the estimate is from a bound, on the scale of the standard error."""
        ...


def two_sided(evidence: Evidence, null: float) -> float:
    """p-value of "the true value is ``null``"."""
    return min(1.0, 2 * min(evidence.below(null), evidence.above(null)))


@dataclass(frozen=True)
class StudentT:
    """A value whose error follows Student's t.

    Attributes:
        centre: of intervals and tests where it is not the value: adjusted proportions are drawn towards the middle.
    """

    value: float
    standard_error: float
    degrees_of_freedom: float
    method: str
    centre: float | None = None

    def interval(self, level: float) -> Range:
        half = float(t.ppf((1 + level) / 2, self.degrees_of_freedom)) * self.standard_error
        return Range(self._centre - half, self._centre + half)

    def below(self, bound: float) -> float:
        if self.standard_error == 0:
            return float(self._centre >= bound)
        return float(t.cdf((self._centre - bound) / self.standard_error, self.degrees_of_freedom))

    def above(self, bound: float) -> float:
        if self.standard_error == 0:
            return float(self._centre <= bound)
        return float(t.sf((self._centre - bound) / self.standard_error, self.degrees_of_freedom))

    def distance(self, bound: float) -> float:
        return abs(self._centre - bound)

    @property
    def _centre(self) -> float:
        return self.value if self.centre is None else self.centre


@dataclass(frozen=True)
class Proportion:
    """A share of independent samples, by its score statistic (Wilson 1927)."""

    successes: int
    n: int
    degrees_of_freedom: float = math.inf
    method: str = "Wilson score"

    @property
    def value(self) -> float:
        return self.successes / self.n

    @property
    def standard_error(self) -> float:
        return _error_of(self)

    def interval(self, level: float) -> Range:
        return wilson(self.successes, self.n, level)

    def below(self, bound: float) -> float:
        return float(norm.cdf(self._score(bound))) if self.value < bound or 0 < bound < 1 else 1.0

    def above(self, bound: float) -> float:
        return float(norm.sf(self._score(bound))) if self.value > bound or 0 < bound < 1 else 1.0

    def distance(self, bound: float) -> float:
        return abs(self.value - bound)

    def _score(self, bound: float) -> float:
        if not 0 < bound < 1:
            return math.copysign(math.inf, self.value - bound)
        return (self.value - bound) / math.sqrt(bound * (1 - bound) / self.n)


@dataclass(frozen=True)
class PairedProportions:
    """The difference of two shares of the same samples, by Tango's score statistic (Tango 1998).

    Attributes:
        only_a, only_b: samples where only the first, and only the second, is 1.
        n: all samples.
    """

    only_a: int
    only_b: int
    n: int
    degrees_of_freedom: float = math.inf
    method: str = "Tango score, paired by sample"

    @property
    def value(self) -> float:
        return (self.only_a - self.only_b) / self.n

    @property
    def standard_error(self) -> float:
        return _error_of(self)

    def interval(self, level: float) -> Range:
        return tango(self.only_a, self.only_b, self.n, level)

    def below(self, bound: float) -> float:
        return float(norm.cdf(self._score(bound))) if self.value < bound or -1 < bound < 1 else 1.0

    def above(self, bound: float) -> float:
        return float(norm.sf(self._score(bound))) if self.value > bound or -1 < bound < 1 else 1.0

    def distance(self, bound: float) -> float:
        return abs(self.value - bound)

    def _score(self, bound: float) -> float:
        if not -1 < bound < 1:
            return math.copysign(math.inf, self.value - bound)
        return tango_score(self.only_a, self.only_b, self.n, bound)


def _error_of(score: Proportion | PairedProportions) -> float:
    """A standard error that does not vanish with no failures: the interval's half width in units of z."""
    low, high = score.interval(0.95)
    return (high - low) / (2 * float(norm.ppf(0.975)))


@dataclass(frozen=True)
class Rounds:
    """A positive value or ratio whose logarithm was seen once a round, symmetric about its centre.

    Attributes:
        value: the estimate, positive.
        logs: float64 ``[R]``.
    """

    value: float
    logs: Floats
    method: str

    @property
    def standard_error(self) -> float:
        return float(np.std(self.logs, ddof=1) / np.sqrt(len(self.logs)))

    @property
    def degrees_of_freedom(self) -> float:
        return float(len(self.logs) - 1)

    def interval(self, level: float) -> Range:
        centre = signed_rank.hodges_lehmann(self.logs, level)
        return Range(*(self.value * math.exp(end - centre.value) for end in (centre.low, centre.high)))

    def below(self, bound: float) -> float:
        return signed_rank.p_value(self._shifted(bound), "less") if bound > 0 else 1.0

    def above(self, bound: float) -> float:
        return signed_rank.p_value(self._shifted(bound), "greater") if bound > 0 else 0.0

    def distance(self, bound: float) -> float:
        return abs(math.log(self.value / bound)) if bound > 0 else math.inf

    def _shifted(self, bound: float) -> Floats:
        """The rounds about the value, with the bound as their 0."""
        centre = signed_rank.hodges_lehmann(self.logs).value
        shifted: Floats = self.logs - centre + math.log(self.value / bound)
        return shifted


@dataclass(frozen=True)
class Ratio:
    """A ratio whose logarithm's error follows Student's t."""

    log: StudentT

    @property
    def value(self) -> float:
        return math.exp(self.log.value)

    @property
    def standard_error(self) -> float:
        return self.log.standard_error

    @property
    def degrees_of_freedom(self) -> float:
        return self.log.degrees_of_freedom

    @property
    def method(self) -> str:
        return self.log.method

    def interval(self, level: float) -> Range:
        low, high = self.log.interval(level)
        return Range(math.exp(low), math.exp(high))

    def below(self, bound: float) -> float:
        return self.log.below(math.log(bound)) if bound > 0 else 1.0

    def above(self, bound: float) -> float:
        return self.log.above(math.log(bound)) if bound > 0 else 0.0

    def distance(self, bound: float) -> float:
        return self.log.distance(math.log(bound)) if bound > 0 else math.inf


@dataclass(frozen=True)
class Extent:
    """A nearly deterministic value, known by the range of some repetitions, or an exact one: it has no p-values, and
    those of ``below`` and ``above`` are 0 (all repetitions say so) or 1.

    Attributes:
        low, high: the range.
        tolerance: difference that counts as none.
    """

    value: float
    low: float
    high: float
    method: str
    tolerance: float = 0.0
    standard_error: None = None
    degrees_of_freedom: None = None

    def interval(self, level: float) -> Range:
        """The range, whatever the level."""
        return Range(self.low, self.high)

    def below(self, bound: float) -> float:
        return float(self.high > bound)

    def above(self, bound: float) -> float:
        return float(self.low <= bound)

    def distance(self, bound: float) -> float:
        return abs(self.value - bound)


def exactly(value: float) -> Extent:
    """A count, or the ratio of two: equal to a bound that differs by rounding alone."""
    return Extent(value, value, value, EXACT, tolerance=1e-9 * max(abs(value), 1.0))
