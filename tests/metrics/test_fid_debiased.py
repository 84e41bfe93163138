import numpy as np
import pytest

from evalsuite.errors import Skipped
from evalsuite.metrics.fid import Fid
from evalsuite.metrics.fid_debiased import FidDebiased
from evalsuite.stats.jackknife import jackknife
from evalsuite.stats.single import interval_of
from tests.metrics.inputs import clouds, feature_inputs, with_moments


def test_the_bias_of_few_samples_goes_and_the_interval_covers():
    reference = with_moments(500, np.zeros(6), np.eye(6))
    plain, corrected, covered = [], [], []
    for seed in range(80):
        inputs = feature_inputs(clouds(100, dim=6, shift=0.5, seed=seed)[0], reference)
        estimate = FidDebiased().compute(inputs)[""]
        plain.append(Fid().compute(inputs)[""].value)
        corrected.append(estimate.value)
        interval = interval_of(estimate)
        covered.append(interval.low <= 1.5 <= interval.high)
    error = np.std(corrected) / np.sqrt(len(corrected))
    assert np.mean(plain) > 1.5 + 5 * error
    assert np.mean(corrected) == pytest.approx(1.5, abs=3 * error)
    assert np.mean(covered) > 0.85


@pytest.mark.parametrize("groups", [np.arange(240) % 20, np.random.default_rng(0).integers(0, 12, 240)])
def test_its_standard_error_is_that_of_the_plain_value(groups):
    inputs = feature_inputs(*clouds(shift=0.3), groups=groups)
    plain, corrected = (metric().compute(inputs)[""] for metric in (Fid, FidDebiased))
    expected = jackknife(plain.value, plain.replicates, plain.group_sizes)
    found = jackknife(corrected.value, corrected.replicates, corrected.group_sizes)
    assert corrected.value == pytest.approx(expected.value)
    assert found.standard_error == pytest.approx(expected.standard_error)


def test_few_groups_are_skipped():
    inputs = feature_inputs(*clouds(), groups=np.arange(240) % 9)
    with pytest.raises(Skipped, match="at least 10 groups"):
        FidDebiased().compute(inputs)
