"""Search a line of changes for the first that moves a metric, with as few measurements as halving needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evalsuite.compare.contrast import Common
from evalsuite.compare.difference import difference
from evalsuite.compare.wording import between, chance, quantity
from evalsuite.errors import CellError, UsageError
from evalsuite.records import Comparison, Measurement

ALPHA = 0.01
"""False-alarm rate of the whole search: the chance that a line without any change is said to have one."""


@dataclass(frozen=True)
class Point:
    """The metric at one point of a line.

    Attributes:
        pairing_key: equal at points whose samples of the same id belong together.
    """

    measurement: Measurement
    pairing_key: str


@dataclass(frozen=True)
class Visit:
    """One point of the line, compared with its beginning.

    Attributes:
        moved: whether the metric differs there; None where it could not be measured.
        sentence: what was found, for people.
        comparison: with the beginning, where both have a number.
    """

    index: int
    moved: bool | None
    sentence: str
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Found:
    """What a search ended with.

    Attributes:
        first: the earliest point that is known to be moved; None where even the end is not.
        before: the last point that is known not to be; ``first - 1`` unless what lies between could not be measured.
        tested: every point that was looked at, in the order of the search.
    """

    first: int | None
    before: int
    tested: Sequence[Visit] = field(default=())


@dataclass(frozen=True)
class Search:
    """A line of points from 0, where all is well, to ``last``.

    Attributes:
        last: the number of changes.
        measure: the metric at a point; a `CellError` where it has none there.
        tell: called with each point as it is tested.
    """

    last: int
    measure: Callable[[int], Point]
    tell: Callable[[Visit], None]

    def run(self) -> Found:
        """The first point from which the metric is moved, if all points after it are, too.

        Raises:
            UsageError: the beginning or the end cannot be measured, so that there is nothing to search.
        """
        try:
            beginning = self.measure(0)
        except CellError as error:
            raise UsageError(f"the beginning cannot be measured: {error}") from error
        tested: dict[int, Visit] = {}
        end = self._test(self.last, beginning, tested)
        if end.moved is None:
            raise UsageError(f"the end cannot be measured: {end.sentence}")
        if not end.moved:
            return Found(None, self.last, list(tested.values()))
        before, first = 0, self.last
        while untested := [i for i in range(before + 1, first) if i not in tested]:
            # Where points in the middle cannot be measured, the nearest that may be stands in for them.
            middle = min(untested, key=lambda i: abs(2 * i - before - first))
            moved = self._test(middle, beginning, tested).moved
            before, first = (before, middle) if moved else (middle if moved is False else before, first)
        return Found(first, before, list(tested.values()))

    @property
    def level(self) -> float:
        """Of one comparison; their number is at most that of the halvings, and one for the end."""
        return ALPHA / (1 + math.ceil(math.log2(max(self.last, 1))))

    def _test(self, index: int, beginning: Point, tested: dict[int, Visit]) -> Visit:
        try:
            found = self._compared(index, self.measure(index), beginning)
        except CellError as error:
            found = Visit(index, None, f"it cannot be measured: {error}")
        tested[index] = found
        self.tell(found)
        return found

    def _compared(self, index: int, here: Point, beginning: Point) -> Visit:
        common = Common.SEEDS if here.pairing_key == beginning.pairing_key else Common.NOTHING
        now, then = here.measurement, beginning.measurement
        comparison = difference(now, then, 1 - self.level, common=common)
        if comparison.incomparable:
            # Another extractor, another reference: the numbers may not be compared, and that began here.
            return Visit(index, True, comparison.incomparable)
        moved = _moved(comparison, self.level)
        return Visit(index, moved, _sentence(now, then, comparison), comparison)


def _moved(comparison: Comparison, level: float) -> bool:
    """By the p-value; by the interval where there is none (memory)."""
    if comparison.p_value is not None:
        return comparison.p_value <= level
    return comparison.better is not None


def _sentence(here: Measurement, beginning: Measurement, comparison: Comparison) -> str:
    assert comparison.value is not None
    values = f"{quantity(here.value, here.unit)} against {quantity(beginning.value, beginning.unit)}"
    ratio = comparison.scale == "ratio"
    what = "a factor of" if ratio else "a difference of"
    size = quantity(comparison.value, "" if ratio else here.unit)
    interval = f" ({between(comparison.interval, comparison.unit)})" if comparison.interval else ""
    certainty = f", {chance(comparison.p_value)}" if comparison.p_value is not None else ""
    return f"{here.name} is {values}, {what} {size}{interval}{certainty}"
