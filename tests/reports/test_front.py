"""Places on a front by intervals: sure only where no true value could change them."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.records import Family, Interval, Measurement
from evalsuite.reports._front import front_places


def cell(value: float, half: float | None, *, higher: bool = False, invalid: str = "") -> Measurement:
    interval = None if half is None else Interval(low=value - half, high=value + half, level=0.95, method="t")
    return Measurement(
        name="x", metric="x", case_key="m@cpu/all", model="m", role="student", target="cpu", slice="all", value=value,
        higher_is_better=higher, family=Family.MEAN, n=9, interval=interval, invalid=invalid,
    )  # fmt: skip


def test_far_apart_they_are_sure() -> None:
    offers = [(cell(1, 0.1), cell(9, 0.1)), (cell(9, 0.1), cell(1, 0.1)), (cell(9.5, 0.1), cell(9.5, 0.1))]
    assert front_places(offers) == ["on", "on", "off"]


def test_where_intervals_overlap_in_both_the_place_is_open() -> None:
    offers = [(cell(1, 0.5), cell(1, 0.5)), (cell(1.2, 0.5), cell(1.2, 0.5)), (cell(1.2, 0.5), cell(9, 0.5))]
    assert front_places(offers) == ["unsure", "unsure", "unsure"]


def test_higher_may_be_better() -> None:
    offers = [(cell(0.9, 0.01, higher=True), cell(1, 0.1)), (cell(0.5, 0.01, higher=True), cell(2, 0.1))]
    assert front_places(offers) == ["on", "off"]


@pytest.mark.parametrize("doubt", [cell(1, None), cell(1, 0.1, invalid="drift")])
def test_what_has_no_interval_or_is_invalid_decides_by_its_other_value_alone(doubt: Measurement) -> None:
    assert front_places([(doubt, cell(1, 0.1)), (cell(9, 0.1), cell(1, 0.1))]) == ["unsure", "unsure"]
    assert front_places([(doubt, cell(1, 0.1)), (cell(9, 0.1), cell(9, 0.1))]) == ["on", "unsure"]


def test_equals_do_not_beat_each_other() -> None:
    assert front_places([(cell(1, 0.0), cell(1, 0.0))] * 2) == ["on", "on"]
    assert front_places([(cell(1, 0.0), cell(1, 0.0)), (cell(1, 0.0), cell(2, 0.0))]) == ["on", "off"]
    assert front_places([]) == []


def test_sure_places_hold_for_all_true_values_within_the_intervals() -> None:
    rng = np.random.default_rng(3)
    centres, halves = rng.uniform(0, 10, (12, 2)), rng.uniform(0, 0.7, (12, 2))
    cells = [
        [cell(value, half) for value, half in zip(*both, strict=True)] for both in zip(centres, halves, strict=True)
    ]
    found = front_places([(quality, price) for quality, price in cells])
    assert {"on", "unsure", "off"} == set(found)
    for _ in range(200):
        true = centres + rng.uniform(-1, 1, centres.shape) * halves
        beaten = [bool(np.any(np.all(true < one, axis=1))) for one in true]
        assert not any(beaten[i] for i, place in enumerate(found) if place == "on")
        assert all(beaten[i] for i, place in enumerate(found) if place == "off")
