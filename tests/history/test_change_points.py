"""E-divisive on rows of numbers whose steps are known."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from evalsuite.history.change_points import MIN_SIZE, best_splits, find_steps, significance

RANDOM = np.random.default_rng(0)


def energy(row: np.ndarray, first: int, end: int) -> float:
    """The statistic, as the paper writes it."""
    x, y = row[:first], row[first:end]
    m, n = len(x), len(y)

    def within(z: np.ndarray) -> float:
        return float(np.mean([abs(a - b) for i, a in enumerate(z) for b in z[:i]]))

    across = float(np.mean([abs(a - b) for a in x for b in y]))
    return m * n / (m + n) * (2 * across - within(x) - within(y))


def test_the_statistic_is_that_of_the_paper() -> None:
    rows = RANDOM.normal(size=(3, 11))
    statistics, first = best_splits(rows)
    for row, statistic, position in zip(rows, statistics, first, strict=True):
        ends = {split: range(split + MIN_SIZE, 12) for split in range(MIN_SIZE, 11 - MIN_SIZE + 1)}
        every = {(split, end): energy(row, split, end) for split in ends for end in ends[split]}
        assert position == max(every, key=every.__getitem__)[0]
        assert statistic == pytest.approx(max(every.values()))


def test_significance_is_the_share_of_orders() -> None:
    """Of 6 numbers all 720 orders can be tried."""
    row = np.array([0.1, 0.0, 0.3, 2.0, 2.2, 1.4])
    orders = np.array(list(permutations(row)))
    exact = float(np.mean(best_splits(orders)[0] >= best_splits(row[None])[0][0] - 1e-9))
    assert exact == pytest.approx(0.1)
    assert significance(row, 20_000, np.random.default_rng(0)) == pytest.approx(exact, rel=0.5)


def test_the_smallest_p_value_is_that_of_the_draws() -> None:
    row = np.repeat([0.0, 1.0], 20) + RANDOM.normal(0, 0.01, 40)
    assert significance(row, 999, np.random.default_rng(0)) == 1 / 1000


def test_steps_and_where_they_are() -> None:
    row = np.repeat([10.0, 12.0, 9.0], (12, 9, 15)) + RANDOM.normal(0, 0.3, 36)
    found = find_steps(row, 0.01, 999, np.random.default_rng(0)).steps
    assert [step.first for step in found] == [12, 21]
    assert all(step.low <= step.first <= step.high for step in found)
    assert all(step.high - step.low <= 1 for step in found)


def test_a_small_step_is_found_in_a_range() -> None:
    row = np.repeat([10.0, 10.5], 20) + RANDOM.normal(0, 0.4, 40)
    (step,) = find_steps(row, 0.05, 999, np.random.default_rng(0)).steps
    assert step.low < step.first or step.first < step.high
    assert step.low <= 20 <= step.high


def test_the_same_seed_finds_the_same() -> None:
    row = np.repeat([0.0, 1.0], 12) + RANDOM.normal(0, 0.5, 24)
    again = [find_steps(row, 0.05, 999, np.random.default_rng(3)) for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize("length", [0, 1, 2 * MIN_SIZE - 1])
def test_too_short_for_a_step(length: int) -> None:
    assert find_steps(np.arange(float(length)), 0.05, 99, np.random.default_rng(0)) == (1.0, ())


def test_noise_and_constants_have_none() -> None:
    for row in (np.ones(30), RANDOM.normal(size=30)):
        assert find_steps(row, 0.01, 999, np.random.default_rng(0)).steps == ()
