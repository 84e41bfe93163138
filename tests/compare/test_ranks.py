"""Ranks: how sure they are, what pairs, and that comparing all at once changes nothing."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from evalsuite.compare.better import better
from evalsuite.compare.contrast import Common
from evalsuite.compare.ranks import Shown, ahead, best_of, ranked
from evalsuite.records import Family, Measurement
from tests.compare.inputs import of_groups, of_rounds, of_samples, record


def shown(*cells: Measurement, seeds: tuple[int, ...] = ()) -> list[Shown]:
    """Each of a run of its own; of the same seed unless others are given."""
    return [Shown(cell, str(i), str(seeds[i] if seeds else 0)) for i, cell in enumerate(cells)]


def values(mean: float, seed: int, n: int = 60) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(mean, 1.0, n)


def skew(samples: np.ndarray[Any, Any]) -> float:
    return float(np.mean(samples) ** 2 + np.var(samples))


@pytest.mark.parametrize("family", [Family.MEAN, Family.MMD, Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE])
@pytest.mark.parametrize("seeds", [(0, 0, 0, 0), (0, 1, 0, 2)], ids=["paired", "partly paired"])
def test_all_at_once_is_as_one_by_one(family: Family, seeds: tuple[int, ...]) -> None:
    samples = [values(0.1 * i, i) for i in range(3)]
    samples.append(samples[0])
    if family in (Family.MEAN, Family.MMD):
        cells = [of_samples(x, family, model=f"m{i}") for i, x in enumerate(samples)]
    else:
        cells = [of_groups(skew, x, family, model=f"m{i}") for i, x in enumerate(samples)]
    found = ahead(shown(*cells, seeds=seeds))
    for i, j in permutations(range(4), 2):
        common = Common.SEEDS if seeds[i] == seeds[j] else Common.NOTHING
        assert found[i, j] == pytest.approx(
            better(cells[i], cells[j], common).first, abs=1e-5
        )  # samples count as equal in float32


def test_ranks_that_chance_can_swap_are_ties() -> None:
    base = values(0.0, 0)
    cells = [
        of_samples(base + shift + values(0, i, 60) * 0.1, model=f"m{i}") for i, shift in ((1, 5), (2, 5.001), (3, 0))
    ]
    assert [(rank.low, rank.high) for rank in ranked(shown(*cells))] == [(1, 2), (1, 2), (3, 3)]


def test_common_seeds_decide_what_other_seeds_leave_open() -> None:
    base = values(0.0, 0)
    cells = [of_samples(base + 0.1 + 0.05 * values(0, 1), model="a"), of_samples(base, model="b")]
    assert [rank.high for rank in ranked(shown(*cells))] == [1, 2]
    assert [rank.high for rank in ranked(shown(*cells, seeds=(0, 1)))] == [2, 2]


def test_lower_is_better_where_the_metric_says_so() -> None:
    cells = [
        of_rounds(0.01 * (1 + 0.01 * values(0, 1, 12)), model="fast"),
        of_rounds(0.1 + 0 * values(0, 1, 12), model="slow"),
    ]
    ranks = ranked(shown(*cells))
    assert (ranks[0].low, ranks[1].high) == (1, 2)


def test_what_is_invalid_or_too_few_has_any_rank() -> None:
    cells = [
        of_samples(values(9, 1), model="a", invalid="drift"),
        of_samples(values(0, 2), model="b"),
        of_samples([1.0], model="c"),
    ]
    assert {(rank.low, rank.high) for rank in ranked(shown(*cells))} == {(1, 3)}


def test_ranks_hold_at_once_as_often_as_they_promise() -> None:
    """Ten models that are equal: any claimed order is wrong, and at most 5 % of boards may claim one."""
    wrong = 0
    for trial in range(100):
        cells = [of_samples(values(0, 1000 * trial + i, 20), model=f"m{i}") for i in range(10)]
        wrong += any((rank.low, rank.high) != (1, 10) for rank in ranked(shown(*cells)))
    assert wrong <= 10


def test_the_best_of_a_run_is_named_only_beyond_chance() -> None:
    clear = [of_samples(values(mean, 1), model=model) for model, mean in (("student", 0.0), ("other", 3.0))]
    assert {identity.case_key for identity in best_of(record(*clear))} == {"other@cpu/all"}
    assert best_of(record(clear[0])) == frozenset()
    assert best_of(record(clear[0], clear[0].model_copy(update={"case_key": "other@cpu/all"}))) == frozenset()
