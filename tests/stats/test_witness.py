from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, ttest_1samp

from evalsuite.stats.witness import Places, p_values, squared_distances

PLACES = Places(np.array([[0.0, 0.0], [8.0, 0.0]]), np.array([1.0, 2.0]))


def test_a_point_counts_by_its_distance_in_radii() -> None:
    points = np.array([[0.0, 0.0], [0.0, 1.0], [8.0, 2.0]])
    near = PLACES.closeness(points)
    assert near[:, 0].tolist() == pytest.approx([1, np.exp(-1), np.exp(-68)])
    assert near[2, 1] == pytest.approx(np.exp(-1))


def test_distances_are_those_of_the_definition() -> None:
    random = np.random.default_rng(0)
    points, centres = random.normal(size=(7, 5)), random.normal(size=(3, 5))
    direct = ((points[:, None] - centres) ** 2).sum(axis=2)
    assert squared_distances(points, centres) == pytest.approx(direct)
    assert (squared_distances(points, points) >= 0).all()


def test_the_witness_is_the_difference_of_local_means() -> None:
    """Its value at a point is the product of what the point shows and what the sets differ in, place by place."""
    random = np.random.default_rng(1)
    first, second, points = (random.normal(size=(9, 2)) for _ in range(3))

    def shown(x: np.ndarray, k: int) -> np.ndarray:
        step = (x - PLACES.centres[k]) / PLACES.radii[k]
        return np.exp(-(step**2).sum(axis=1))[:, None] * np.concatenate([np.ones((len(x), 1)), step], axis=1)

    found = PLACES.seen(points, PLACES.witness(first, second))
    for k in range(2):
        learned = shown(first, k).mean(axis=0) - shown(second, k).mean(axis=0)
        assert found[:, k] == pytest.approx(shown(points, k) @ learned)


def test_p_values_are_those_of_a_one_sided_t_test() -> None:
    differences = np.random.default_rng(2).normal(0.3, 1, (20, 3))
    assert p_values(differences, np.arange(20)) == pytest.approx(ttest_1samp(differences, 0, alternative="greater")[1])


def test_rows_of_one_unit_count_once() -> None:
    differences = np.random.default_rng(3).normal(0.3, 1, (20, 1))
    repeated, units = np.repeat(differences, 5, axis=0), np.repeat(np.arange(20), 5)
    assert p_values(repeated, units) == pytest.approx(p_values(differences, np.arange(20)))


def test_equal_sets_show_nothing() -> None:
    assert p_values(np.zeros((5, 2)), np.arange(5)).tolist() == [0.5, 0.5]
    assert p_values(np.ones((5, 2)), np.zeros(5, np.int64)).tolist() == [1, 1]


def test_p_values_are_uniform_where_the_sets_are_alike() -> None:
    found = []
    for seed in range(300):
        sets = np.random.default_rng(seed).normal(size=(4, 60, 2))
        weights = PLACES.witness(sets[0], sets[1])
        found.append(p_values(PLACES.seen(sets[2], weights) - PLACES.seen(sets[3], weights), np.arange(60))[0])
    assert kstest(found, "uniform").pvalue > 0.01
