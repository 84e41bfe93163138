"""Intervals of single values: closed forms, shortage, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evalsuite.metrics.contract import Estimate
from evalsuite.pairing import groups_of
from evalsuite.records import Family
from evalsuite.stats.jackknife import jackknife
from evalsuite.stats.single import evidence_of, interval_of, shortage


def estimate(family, value, **arrays):
    return Estimate(value, family, n=1, **arrays)


def ends(interval):
    return interval.low, interval.high


def test_a_mean_has_students_interval():
    values = np.random.default_rng(0).normal(3, 2, 50)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    found = interval_of(estimate(Family.MEAN, values.mean(), per_sample=values), level=0.9)
    assert ends(found) == pytest.approx((expected.low, expected.high))
    assert (found.level, found.method) == (0.9, "t over samples")


def test_a_proportion_has_wilsons_interval():
    expected = stats.binomtest(7, 50).proportion_ci(0.95, method="wilson")
    found = interval_of(estimate(Family.PROPORTION, 0.14, per_sample=np.arange(50) < 7))
    assert ends(found) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("family", [Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE])
def test_groups_give_a_t_interval_around_the_value_itself(family):
    random = np.random.default_rng(0)
    replicates, sizes = random.normal(5, 0.1, 20), random.integers(40, 60, 20)
    error = jackknife(5.0, replicates, sizes).standard_error
    found = interval_of(estimate(family, 5.0, replicates=replicates, group_sizes=sizes))
    half = stats.t.ppf(0.975, 19) * error
    assert ends(found) == pytest.approx((5 - half, 5 + half))


def test_latency_has_the_relative_interval_of_its_rounds():
    rounds = np.random.default_rng(0).lognormal(-3, 0.1, 12)
    found = interval_of(estimate(Family.LATENCY, 0.07, replicates=rounds))
    assert found.low < 0.07 < found.high
    doubled = interval_of(estimate(Family.LATENCY, 0.14, replicates=2 * rounds))
    assert ends(doubled) == pytest.approx((2 * found.low, 2 * found.high))


def test_memory_has_the_range_of_its_processes():
    found = interval_of(estimate(Family.MEMORY, 5.0, replicates=np.array([4.0, 5.0, 7.0])))
    assert (*ends(found), found.method) == (4.0, 7.0, "range of 3 processes")


@pytest.mark.parametrize(
    ("family", "arrays", "lacking"),
    [
        (Family.MEAN, {"per_sample": np.ones(1)}, "it needs 2 values by sample, has 1"),
        (Family.PROPORTION, {}, "it needs 1 values by sample, has 0"),
        (Family.FRECHET, {"replicates": np.ones(9)}, "it needs 10 groups of samples, has 9"),
        (Family.LATENCY, {"replicates": np.ones(5)}, "it needs 6 rounds, has 5"),
        (Family.MEMORY, {"replicates": np.ones(1)}, "it needs 2 processes, has 1"),
    ],
)
def test_too_little_gives_no_interval_and_says_so(family, arrays, lacking):
    assert interval_of(estimate(family, 1.0, **arrays)) is None
    assert lacking in shortage(estimate(family, 1.0, **arrays))


def test_a_count_is_its_own_interval():
    found = interval_of(estimate(Family.COUNT, 1784_000.0))
    assert (*ends(found), found.exact) == (1784_000.0, 1784_000.0, True)
    assert not interval_of(estimate(Family.MEMORY, 5.0, replicates=np.array([5.0, 5.0]))).exact


@pytest.mark.parametrize("family", [family for family in Family if family is not Family.COUNT])
def test_one_sided_tests_agree_with_the_interval(family):
    """A bound at the end of the 95 % interval has a one-sided p-value of 2.5 % (at most, for exact tests)."""
    random = np.random.default_rng(3)
    arrays = {
        Family.MEAN: {"per_sample": random.normal(5, 1, 30)},
        Family.MMD: {"per_sample": random.normal(5, 1, 30)},
        Family.PROPORTION: {"per_sample": (np.arange(30) < 22).astype(float)},
        Family.LATENCY: {"replicates": random.lognormal(0, 0.1, 12)},
        Family.MEMORY: {"replicates": random.normal(5, 1, 3)},
    }.get(family, {"replicates": random.normal(5, 0.1, 20), "group_sizes": np.full(20, 5)})
    value = {Family.PROPORTION: 22 / 30, Family.LATENCY: 1.0}.get(family, 5.0)
    evidence = evidence_of(estimate(family, value, **arrays))
    low, high = evidence.interval(0.95)
    if family == Family.MEMORY:
        assert (evidence.above(low - 1), evidence.below(high), evidence.below(value)) == (0, 0, 1)
        return
    assert evidence.above(low) == pytest.approx(0.025, abs=0.012 if family == Family.LATENCY else 1e-6)
    assert evidence.below(high) == pytest.approx(0.025, abs=0.012 if family == Family.LATENCY else 1e-6)
    assert evidence.below(high + 10) < 1e-3
    assert evidence.above(low - 10) < 1e-3


def kernel_distance(x, reference):
    """U-statistic MMD of scalars with the kernel (x y + 1)^3, and its projection."""
    kernel = lambda a, b: (np.outer(a, b) + 1) ** 3  # noqa: E731
    n, m = len(x), len(reference)
    within = (kernel(x, x).sum(1) - (x**2 + 1) ** 3) / (n - 1)
    across = kernel(x, reference).mean(1)
    of_reference = (kernel(reference, reference).sum() - ((reference**2 + 1) ** 3).sum()) / (m * (m - 1))
    return within.mean() + of_reference - 2 * across.mean(), 2 * (within - across)


def test_the_projection_of_mmd_carries_its_factor_of_two():
    """The error from one set is the spread of the value over many; without the factor it would be half of it."""
    random = np.random.default_rng(1)
    reference = random.normal(size=150)
    values, errors = [], []
    for _ in range(400):
        value, projection = kernel_distance(random.normal(0.5, 1, 80), reference)
        values.append(value)
        errors.append(evidence_of(estimate(Family.MMD, value, per_sample=projection)).standard_error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


def test_the_interval_of_a_debiased_frechet_distance_covers():
    """Closed form: scalars N(0.3, 1.2^2) against N(0, 1) are (0.3^2 + 0.2^2) apart."""
    random = np.random.default_rng(2)
    groups, truth, covered = groups_of(np.arange(200), 1), 0.3**2 + 0.2**2, 0
    distance = lambda x: x.mean() ** 2 + (x.std(ddof=1) - 1) ** 2  # noqa: E731
    for _ in range(400):
        x = random.normal(0.3, 1.2, 200)
        replicates = np.array([distance(x[groups != g]) for g in range(20)])
        sizes = np.full(20, 10)
        value = jackknife(distance(x), replicates, sizes).value
        found = interval_of(estimate(Family.FRECHET_DEBIASED, value, replicates=replicates, group_sizes=sizes))
        covered += found.low <= truth <= found.high
    assert 0.90 <= covered / 400 <= 0.985
