import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite.errors import Skipped
from evalsuite.metrics.fid import Fid
from evalsuite.metrics.fid_infinity import FidInfinity, change_without_groups
from evalsuite.stats.jackknife import jackknife
from evalsuite.stats.single import interval_of
from tests.metrics.inputs import clouds, feature_inputs, with_moments


def extrapolated(inputs, **settings):
    return FidInfinity(**settings).compute(inputs)[""]


def test_the_bias_of_few_samples_goes_and_the_interval_covers():
    reference = with_moments(500, np.zeros(6), np.eye(6))
    values, covered = [], []
    for seed in range(80):
        found = extrapolated(feature_inputs(clouds(200, dim=6, shift=0.5, seed=seed)[0], reference))
        values.append(found.value)
        interval = interval_of(found)
        covered.append(interval.low <= 1.5 <= interval.high)
    assert np.mean(values) == pytest.approx(1.5, abs=3 * np.std(values) / np.sqrt(80))
    assert np.mean(covered) > 0.88


def test_the_line_is_that_of_least_squares_through_the_values_of_the_subsets():
    generated, reference = clouds(240, 300, 4, shift=0.3)
    inputs = feature_inputs(generated, reference)
    random, points = np.random.default_rng(3), []
    for size in (48, 112, 176, 240):
        rows = random.permutation(240)[:size]
        points.append((1 / size, Fid().compute(feature_inputs(generated[rows], reference))[""].value))
    _, expected = np.polyfit(*zip(*points, strict=True), 1)
    assert extrapolated(inputs, seed=3, points=4, smallest=0.2).value == pytest.approx(expected, rel=1e-9)


def test_the_seed_draws_the_subsets():
    inputs = feature_inputs(*clouds(shift=0.3))
    assert extrapolated(inputs, seed=1).value == extrapolated(inputs, seed=1).value
    assert extrapolated(inputs, seed=1).value != extrapolated(inputs, seed=2).value
    assert extrapolated(inputs, seed=1).protocol["seed"] == 1


def test_its_replicates_are_those_of_the_same_subsets_without_a_group():
    generated, reference = clouds(2000, 2000, 4, shift=0.3, scale=1.2)
    groups = np.arange(2000) % 20
    found = extrapolated(feature_inputs(generated, reference, groups=groups), points=5)
    metric, sizes = FidInfinity(points=5), np.linspace(1400, 2000, 5).astype(int)
    subsets = metric._subsets(np.arange(2000), sizes)
    exact = []
    for group in range(20):
        kept = [rows[groups[rows] != group] for rows in subsets]
        values = [Fid().compute(feature_inputs(generated[rows], reference))[""].value for rows in kept]
        exact.append(np.polyfit([1 / len(rows) for rows in kept], values, 1)[1])
    errors = [jackknife(found.value, np.array(r), found.group_sizes).standard_error for r in (found.replicates, exact)]
    assert errors[0] == pytest.approx(errors[1], rel=0.05)
    assert np.corrcoef(found.replicates, exact)[0, 1] > 0.98


def test_the_change_without_a_group_by_hand():
    psi, group = np.array([1.0, 2, -3, 4]), np.array([0, 0, 2, 2])
    np.testing.assert_allclose(change_without_groups(psi, group, 3), [-3 / 2, 0, -1 / 2])


def test_few_samples_or_groups_are_skipped():
    generated, reference = clouds(20, 300)
    with pytest.raises(Skipped, match="at least 10 groups"):
        extrapolated(feature_inputs(*clouds(), groups=np.arange(240) % 9))
    with pytest.raises(Skipped, match="at least 3 samples in the smallest subset, has 2"):
        extrapolated(feature_inputs(generated, reference), smallest=0.1)


@pytest.mark.parametrize("settings", [{"smallest": 1.0}, {"smallest": 0}, {"points": 1}, {"seed": -1}])
def test_settings_that_make_no_line_are_refused(settings):
    with pytest.raises(ValidationError):
        FidInfinity(**settings)
