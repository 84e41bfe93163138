"""Drift in series whose changes are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from evalsuite.history.drift import find_drift
from evalsuite.history.points import Point, SeriesKey
from evalsuite.history.store import Series
from tests.history.runs import commit

GROUPS, SAMPLES_SE = 20, 0.4


def series(values: Sequence[float], deviations: Any = None, name: str = "fid", **fields: Any) -> Series:
    """Values at commits 0, 1, 2, ..., with deviations ``[T, G]`` where their samples are known."""
    points = []
    for number, value in enumerate(values):
        sha, at = commit(number)
        assert at is not None
        points.append(Point(sha, at, float(value), None, 100, None if deviations is None else deviations[number]))
    key = SeriesKey("small", name, "reference", "student", "cpu", "all", "{}")
    return Series(key, "", **{"higher_is_better": False, **fields}, points=tuple(points))


def spread(length: int, common: float, seed: int = 0) -> np.ndarray:
    """Deviations of groups ``[T, G]``, this share of whose variance all commits have in common."""
    random = np.random.default_rng(seed)
    shared = random.normal(0, common**0.5, GROUPS)
    rows = shared + random.normal(0, (1 - common) ** 0.5, (length, GROUPS))
    rows -= rows.mean(axis=1, keepdims=True)
    return (rows * SAMPLES_SE * GROUPS**0.5).astype(np.float32)


def noise(length: int, sd: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sd, length)


def test_a_step_names_its_commits() -> None:
    values = np.repeat([10.0, 11.5], (18, 12)) + noise(30, 0.2)
    (change,) = find_drift([series(values)]).changes
    assert (change.kind, change.better) == ("step", False)
    assert (change.last_good, change.likely, change.first_bad) == (commit(17).sha, commit(18).sha, commit(18).sha)
    assert change.relative == pytest.approx(0.15, abs=0.02)
    assert change.interval.low < 1.5 < change.interval.high


def test_both_ways_and_back() -> None:
    values = np.repeat([10.0, 13.0, 10.0], (12, 10, 14)) + noise(36, 0.2)
    changes = find_drift([series(values, higher_is_better=True)]).changes
    assert [(change.likely, change.better) for change in changes] == [(commit(12).sha, True), (commit(22).sha, False)]


def test_slow_drift_that_no_gate_sees() -> None:
    """1 % a commit: from one commit to the next a quarter of the noise, and over 30 of them a third of the value."""
    values = 10 * 1.01 ** np.arange(30) + noise(30, 0.4)
    largest = max(values[1:] / values[:-1])
    (change,) = find_drift([series(values, spread(30, common=0.9))]).changes
    assert (change.kind, change.better) == ("trend", False)
    assert (change.last_good, change.first_bad) == (commit(0).sha, commit(29).sha)
    assert change.interval.low < 10 * (1.01**29 - 1) < change.interval.high
    assert largest < 1.15  # a gate with the usual margin lets every single commit pass


def test_noise_is_no_drift() -> None:
    every = [series(10 + noise(30, 0.4, seed), spread(30, 0.9, seed)) for seed in range(12)]
    found = find_drift(every)
    assert (found.changes, found.looked_at) == ((), 12)


class TestNoiseOfSamples:
    def test_two_sets_of_samples_are_no_step(self) -> None:
        """Ten commits with the same images, then ten with other ones: the order is clear, the difference is noise."""
        values = np.repeat([10.0, 10.4], 10)
        first, second = spread(2, common=0.0)
        deviations = np.stack([first] * 10 + [second] * 10)
        assert find_drift([series(values, deviations)]).changes == ()

    def test_the_same_difference_of_the_same_samples_is_one(self) -> None:
        values = np.repeat([10.0, 10.4], 10)
        first, second = spread(2, common=0.99)
        deviations = np.stack([first] * 10 + [second] * 10)
        (change,) = find_drift([series(values, deviations)]).changes
        assert change.interval.method == "t over groups of samples"
        assert change.interval.low < 0.4 < change.interval.high

    def test_groups_that_do_not_fit_together_are_left_alone(self) -> None:
        deviations = [row[: 20 - number % 2] for number, row in enumerate(spread(20, 0.5))]
        (change,) = find_drift([series(np.repeat([10.0, 12.0], 10) + noise(20, 0.1), deviations)]).changes
        assert change.interval.method == "t over commits"


def test_last_digits_are_no_change() -> None:
    values = np.repeat([10.0, 10.001], 15)
    assert find_drift([series(values)]).changes == ()
    assert len(find_drift([series(values)], min_change=0).changes) == 1


def test_constants_and_short_series() -> None:
    found = find_drift([series([1.0] * 20), series([1.0, 2.0] * 2)])
    assert (found.changes, found.looked_at, found.too_short) == ((), 1, 1)
    assert find_drift([]).changes == ()


def test_many_series_are_one_family() -> None:
    """What one series alone would show is not enough among sixty."""
    doubtful = series(np.repeat([10.0, 10.7], 10) + noise(20, 0.4, seed=7))
    clear = series(np.repeat([10.0, 15.0], 10) + noise(20, 0.4), name="kid")
    others = [series(10 + noise(20, 0.4, seed), name=f"metric-{seed}") for seed in range(100, 160)]
    assert len(find_drift([doubtful]).changes) == 1
    assert [change.series.key.name for change in find_drift([doubtful, clear, *others]).changes] == ["kid"]
