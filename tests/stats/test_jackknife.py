"""The jackknife against direct formulas, with equal and unequal groups."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.stats.jackknife import debiased, jackknife, pseudovalues


def leave_out(x, groups, statistic):
    names = np.unique(groups)
    return np.array([statistic(x[groups != g]) for g in names]), np.array([(groups == g).sum() for g in names])


def test_one_sample_a_group_gives_the_standard_error_of_the_mean():
    x = np.random.default_rng(0).normal(size=30)
    found = jackknife(x.mean(), *leave_out(x, np.arange(30), np.mean))
    assert found.value == pytest.approx(x.mean())
    assert found.standard_error == pytest.approx(x.std(ddof=1) / np.sqrt(30))
    assert found.degrees_of_freedom == 29


def test_it_takes_the_bias_of_the_variance_off():
    x = np.random.default_rng(0).normal(size=30)
    assert debiased(x.var(), *leave_out(x, np.arange(30), np.var)) == pytest.approx(x.var(ddof=1))


def test_equal_groups_follow_the_textbook():
    x = np.random.default_rng(1).gamma(2, size=60)
    replicates, sizes = leave_out(x, np.arange(60) % 12, np.var)
    found = jackknife(x.var(), replicates, sizes)
    assert found.value == pytest.approx(12 * x.var() - 11 * replicates.mean())
    assert found.standard_error == pytest.approx(np.sqrt(11 / 12 * ((replicates - replicates.mean()) ** 2).sum()))


def test_unequal_groups_leave_a_mean_alone():
    """Busing et al. 1999: weights by size make the estimate of a mean exact, and its error that of the groups."""
    x = np.random.default_rng(2).normal(size=100)
    groups = np.repeat(np.arange(12), [3, 5, 7, 9, 11, 12, 4, 6, 8, 10, 12, 13])
    replicates, sizes = leave_out(x, groups, np.mean)
    found = jackknife(x.mean(), replicates, sizes)
    means = np.array([x[groups == g].mean() for g in range(12)])
    assert found.value == pytest.approx(x.mean())
    assert pseudovalues(x.mean(), replicates, sizes) == pytest.approx(means)
    h = 100 / sizes
    assert found.standard_error**2 == pytest.approx(np.mean((means - x.mean()) ** 2 / (h - 1)))


def test_unequal_groups_estimate_the_spread_of_the_mean():
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(15), np.arange(3, 18))
    errors = [
        jackknife(x.mean(), *leave_out(x, groups, np.mean)).standard_error
        for x in random.normal(size=(300, len(groups)))
    ]
    assert np.mean(np.square(errors)) == pytest.approx(1 / len(groups), rel=0.1)


def test_fewer_than_two_groups_are_refused():
    with pytest.raises(ValueError, match="found 1"):
        jackknife(1.0, np.ones(1), np.ones(1, np.int64))
