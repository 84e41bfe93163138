"""The signed-rank interval against brute-force inversion of scipy's exact test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evalsuite.stats.signed_rank import hodges_lehmann, null_distribution, p_value


@pytest.mark.parametrize("count", [6, 12, 20])
@pytest.mark.parametrize("side", ["less", "greater"])
def test_p_value(count, side):
    values = np.random.default_rng(count).normal(0.3, 1, count)
    expected = stats.wilcoxon(values, alternative=side, method="exact").pvalue
    assert p_value(values, side) == pytest.approx(expected)


@pytest.mark.parametrize("count", [6, 9, 14])
def test_the_interval_holds_the_centres_that_are_not_rejected(count):
    values = np.random.default_rng(count).normal(1, 1, count)
    low, high = hodges_lehmann(values)[1:]
    for inside, centre in ((True, low + 1e-9), (True, high - 1e-9), (False, low - 1e-9), (False, high + 1e-9)):
        rejected = stats.wilcoxon(values - centre, method="exact").pvalue <= 0.05
        assert rejected != inside


def test_the_estimate_is_the_median_of_pairwise_means():
    assert hodges_lehmann(np.array([1.0, 2.0, 10.0])).value == np.median([1, 1.5, 2, 5.5, 6, 10])


def test_equivariance():
    values = np.random.default_rng(0).normal(size=12)
    centre, moved = hodges_lehmann(values), hodges_lehmann(-3 * values + 1)
    assert moved == pytest.approx((1 - 3 * centre.value, 1 - 3 * centre.high, 1 - 3 * centre.low))


def test_coverage():
    samples = np.random.default_rng(1).laplace(size=(500, 12))
    covered = np.mean([low <= 0 <= high for _, low, high in map(hodges_lehmann, samples)])
    assert 0.93 <= covered <= 0.985


def test_zeros_say_nothing_and_ties_do_not_make_it_bold():
    assert p_value(np.zeros(8), "less") == 1.0
    tied = np.array([1.0, 1, 1, -1, 2, 2, 2, 0])
    assert p_value(tied, "greater") >= stats.wilcoxon(tied, alternative="greater", method="approx").pvalue


def test_the_null_distribution_is_that_of_all_signs():
    sums = [sum(r for r in range(1, 5) if mask >> (r - 1) & 1) for mask in range(16)]
    assert null_distribution(4) == pytest.approx(np.bincount(sums) / 16)
