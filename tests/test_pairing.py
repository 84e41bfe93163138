"""Seeds, labels and groups follow from the sample's id alone and are balanced."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsuite.pairing import NUM_GROUPS, groups_of, labels_of, seeds_of

IDS = np.arange(5000)


def test_labels_go_round() -> None:
    assert labels_of(np.arange(7), 3).tolist() == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("num_classes", [1, 3, 10])
def test_groups_are_balanced_and_balanced_by_class(num_classes: int) -> None:
    ids = np.arange(num_classes * NUM_GROUPS * 7)
    table = np.zeros((num_classes, NUM_GROUPS), int)
    np.add.at(table, (labels_of(ids, num_classes), groups_of(ids, num_classes)), 1)
    assert (table == 7).all()


def test_groups_of_one_class_go_round_by_twenty() -> None:
    assert groups_of(np.arange(40), 1).tolist() == [*range(20), *range(20)]


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**9))
def test_a_seed_depends_on_nothing_but_the_suites_seed_and_the_id(seed: int, start: int) -> None:
    ids = np.arange(start, start + 50)
    seeds = seeds_of(ids, seed)
    assert seeds.dtype == np.int64
    assert (seeds >= 0).all()
    assert (seeds_of(ids[::-1], seed)[::-1] == seeds).all()
    assert seeds_of(ids[3:4], seed)[0] == seeds[3]


def test_seeds_do_not_repeat_within_a_suite_or_between_neighbours() -> None:
    assert len(np.unique(np.concatenate([seeds_of(IDS, seed) for seed in range(5)]))) == 5 * len(IDS)


def test_seeds_of_neighbouring_suites_are_not_shifted_copies() -> None:
    assert not np.isin(seeds_of(IDS, 1), seeds_of(IDS + 1, 0)).any()


def test_bits_of_seeds_are_even() -> None:
    bits = (seeds_of(IDS, 0)[:, None] >> np.arange(63)) & 1
    five_sigma = 5 * 0.5 / np.sqrt(len(IDS))
    assert np.abs(bits.mean(axis=0) - 0.5).max() < five_sigma
