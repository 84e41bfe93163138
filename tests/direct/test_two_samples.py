"""Permutation tests of two sets, beside other implementations and answers that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from evalsuite.direct.two_samples import counts_test, deals, kernel_test
from evalsuite.metrics._kernels import mmd
from evalsuite.metrics.kid import cubic
from tests.direct.files import clouds

DIM = 5


def pooled(n: int, m: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.concatenate([clouds(n, DIM, seed=2 * seed), clouds(m, DIM, shift, seed=2 * seed + 1)]) / DIM**0.5


def dealt(n: int, m: int, count: int = 199) -> np.ndarray:
    return deals(n, m, count, np.random.default_rng(0))


def test_deals_keep_the_sizes_and_begin_with_the_truth() -> None:
    found = dealt(30, 50)
    assert found.shape == (200, 80)
    assert (found.sum(axis=1) == 30).all()
    assert found[0].tolist() == [True] * 30 + [False] * 50
    assert len(np.unique(found, axis=0)) == 200


def test_the_value_is_that_of_kid() -> None:
    """More samples than there are rows in a block."""
    features = pooled(400, 300, 0.3)
    expected = mmd(features[:400], features[400:], cubic, {})
    assert kernel_test(features, cubic, dealt(400, 300, 9)).evidence.value == pytest.approx(expected.value)


def test_every_deal_is_a_distance_of_its_own() -> None:
    features, choice = pooled(12, 15), dealt(12, 15, 19)
    distances = [mmd(features[deal], features[~deal], cubic, {}).value for deal in choice]
    found = kernel_test(features, cubic, choice)
    assert found.p_value == np.mean(np.array(distances) >= distances[0])
    assert found.typical == pytest.approx(np.quantile(distances[1:], 0.95))


def test_the_level_and_the_power() -> None:
    same = [kernel_test(pooled(40, 60, seed=seed), cubic, dealt(40, 60, 99)) for seed in range(100)]
    assert np.mean([found.p_value <= 0.1 for found in same]) == pytest.approx(0.1, abs=0.09)
    covered = [found.evidence.interval(0.95).low <= 0 <= found.evidence.interval(0.95).high for found in same]
    assert np.mean(covered) >= 0.93
    other = [kernel_test(pooled(40, 60, 0.6, seed), cubic, dealt(40, 60, 99)).p_value for seed in range(20)]
    assert np.mean(np.array(other) <= 0.05) > 0.8


def test_a_set_against_itself() -> None:
    features = clouds(30, DIM)
    found = kernel_test(np.concatenate([features, features]), cubic, dealt(30, 30))
    assert found.p_value == pytest.approx(1, abs=0.05)


def test_counts_agree_with_chi_square() -> None:
    random = np.random.default_rng(1)
    tags = np.concatenate([random.choice(3, 150, p=[0.5, 0.3, 0.2]), random.choice(3, 200, p=[0.4, 0.3, 0.3])])
    table = [np.bincount(tags[:150], minlength=3), np.bincount(tags[150:], minlength=3)]
    expected = chi2_contingency(table, correction=False).pvalue
    assert counts_test(tags, dealt(150, 200, 9999)) == pytest.approx(expected, abs=0.015)
    # A number that no sample has changes nothing.
    assert counts_test(np.where(tags == 2, 5, tags), dealt(150, 200, 99)) == counts_test(tags, dealt(150, 200, 99))
