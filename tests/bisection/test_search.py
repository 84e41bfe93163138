"""The search on lines whose answer is known: steps, gaps, nothing, and what is not comparable."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evalsuite.bisection.search import Point, Search, Visit
from evalsuite.errors import Failed, UsageError
from tests.compare.inputs import of_samples

RANDOM = np.random.default_rng(0)
BASE = RANDOM.normal(20, 3, 200)


class Line:
    """A mean that steps down at one point; asks are counted."""

    def __init__(self, last: int, step: int, *, broken: tuple[int, ...] = ()) -> None:
        self.last, self.step, self.broken = last, step, broken
        self.asked: list[int] = []

    def measure(self, index: int) -> Point:
        self.asked.append(index)
        if index in self.broken:
            raise Failed("it does not build")
        noise = np.random.default_rng(index).normal(0, 0.5, len(BASE))
        return Point(of_samples(BASE + noise - noise.mean() - (index >= self.step)), "same")

    def search(self) -> Search:
        return Search(self.last, self.measure, lambda tested: None)


@pytest.mark.parametrize("step", range(1, 17))
def test_finds_the_step_wherever_it_is(step: int) -> None:
    line = Line(16, step)
    found = line.search().run()
    assert (found.before, found.first) == (step - 1, step)
    assert len(line.asked) <= 2 + math.ceil(math.log2(16))


def test_a_line_of_one_change_is_that_change() -> None:
    assert Line(1, 1).search().run().first == 1


def test_a_line_that_does_not_move_is_said_not_to() -> None:
    line = Line(16, 99)
    found = line.search().run()
    assert (found.first, [t.moved for t in found.tested]) == (None, [False])


def test_the_rate_of_false_alarms_is_that_of_the_whole_search() -> None:
    def alarm(seed: int) -> bool:
        random = np.random.default_rng(seed)
        values = [Point(of_samples(BASE + random.normal(0, 1, len(BASE))), "same") for _ in range(3)]
        return Search(2, values.__getitem__, lambda tested: None).run().first is not None

    assert np.mean([alarm(seed) for seed in range(400)]) <= 0.015


@pytest.mark.parametrize(("broken", "before", "first"), [((8,), 6, 7), ((6, 7, 8), 5, 9), ((5, 6, 8, 9), 4, 7)])
def test_points_that_cannot_be_measured_leave_a_range(broken: tuple[int, ...], before: int, first: int) -> None:
    found = Line(16, 7, broken=broken).search().run()
    assert (found.before, found.first) == (before, first)


@pytest.mark.parametrize(("broken", "which"), [(0, "beginning"), (16, "end")])
def test_a_line_without_ends_cannot_be_searched(broken: int, which: str) -> None:
    with pytest.raises(UsageError, match=f"the {which} cannot be measured: .*does not build"):
        Line(16, 7, broken=(broken,)).search().run()


def test_another_protocol_counts_as_moved_and_says_why() -> None:
    told: list[Visit] = []
    points = [Point(of_samples(BASE, protocol={"extractor": name}), "same") for name in ("a", "a", "b", "b")]
    found = Search(3, points.__getitem__, told.append).run()
    assert found.first == 2
    assert told[0].sentence == "measured by different protocols: extractor is b and a"


def test_samples_that_do_not_belong_together_are_not_paired() -> None:
    other = np.random.default_rng(1).normal(20, 3, len(BASE))
    points = [Point(of_samples(BASE), "one"), Point(of_samples(other), "two")]
    (tested,) = Search(1, points.__getitem__, lambda tested: None).run().tested
    assert tested.comparison is not None
    assert not tested.comparison.paired
