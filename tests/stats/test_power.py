"""Power, against simulation and the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from evalsuite.stats.power import minimum_detectable_effect, samples_needed


def test_the_detectable_effect_is_found_in_four_of_five_cases():
    effect = minimum_detectable_effect(1 / math.sqrt(50), 49)
    samples = np.random.default_rng(0).normal(effect, 1, (2000, 50))
    assert np.mean(ttest_1samp(samples, 0, axis=1).pvalue <= 0.05) == pytest.approx(0.8, abs=0.03)


def test_the_samples_needed_find_the_distance():
    n = samples_needed(100, 0.1, 0.15, alpha=0.01)
    assert n == math.ceil(((2.3263 + 0.8416) / 0.15) ** 2)
    samples = np.random.default_rng(0).normal(0.15, 1, (2000, n))
    assert np.mean(ttest_1samp(samples, 0, axis=1, alternative="greater").pvalue <= 0.01) == pytest.approx(
        0.8, abs=0.03
    )


def test_no_number_of_samples_decides_about_the_bound_itself():
    assert samples_needed(100, 0.1, 0.0, 0.05) == math.inf
