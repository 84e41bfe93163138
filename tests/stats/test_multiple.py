"""Corrections for many tests, against definitions and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from evalsuite.stats.multiple import holm, q_values


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_the_family_error():
    p_values = np.random.default_rng(0).uniform(size=(2000, 5))
    assert np.mean([min(holm(list(row))) <= 0.05 for row in p_values]) <= 0.06


@pytest.mark.parametrize(("overlapping", "method"), [(False, "bh"), (True, "by")])
def test_q_values(overlapping, method):
    p_values = list(np.random.default_rng(0).uniform(size=9) ** 2)
    assert q_values(p_values, overlapping) == pytest.approx(list(false_discovery_control(p_values, method=method)))
    assert q_values([], overlapping) == []


def test_yekutieli_by_hand():
    assert q_values([0.01, 0.02], overlapping=True) == pytest.approx([0.02 * 1.5, 0.02 * 1.5])
