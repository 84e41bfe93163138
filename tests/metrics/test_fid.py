from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
import torch
from torch_fidelity.metric_fid import fid_statistics_to_metric
from torchmetrics.image.fid import _compute_fid

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics._frechet import fitted, squared_distance
from evalsuite.metrics.fid import Fid
from tests.metrics.inputs import clouds, feature_inputs, moments, with_moments


def fid(generated, reference, **more):
    return Fid().compute(feature_inputs(generated, reference, **more))[""]


def by_sqrtm(x, y):
    """The textbook formula, in the features' own precision."""
    x, y = (np.asarray(a, np.float32).astype(np.float64) for a in (x, y))
    s, r = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(s @ r).real
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s + r - 2 * root)


def test_closed_form_for_gaussians():
    generated = with_moments(200, [1.0, 0, -2], np.diag([4.0, 1, 9]))
    reference = with_moments(300, [0.0, 0, 0], np.diag([1.0, 16, 9]), seed=1)
    # |mu|^2 = 5; (2 - 1)^2 + (1 - 4)^2 + (3 - 3)^2 = 10
    assert fid(generated, reference).value == pytest.approx(15, rel=1e-5)


def test_rotating_both_sets_changes_nothing():
    generated, reference = clouds(shift=0.5, scale=1.3)
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(4, 4)))
    assert fid(generated @ turn, reference @ turn).value == pytest.approx(fid(generated, reference).value, rel=1e-5)


def test_the_distance_is_symmetric():
    generated, reference = clouds(200, 300, 6, shift=0.3, scale=1.5)
    assert fid(generated, reference).value == pytest.approx(fid(reference, generated).value, rel=1e-9)


def test_agrees_with_the_matrix_square_root_and_two_libraries():
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(8, 8))
    x, y = (a.astype(np.float32) for a in (rng.normal(size=(150, 8)) @ mix + 0.2, rng.normal(size=(180, 8))))
    value = fid(x, y).value
    exact = [a.astype(np.float64) for a in (x, y)]
    moments = [{"mu": a.mean(axis=0), "sigma": np.cov(a, rowvar=False)} for a in exact]
    tensors = [torch.from_numpy(part[key]) for part in moments for key in ("mu", "sigma")]
    assert value == pytest.approx(by_sqrtm(x, y), rel=1e-8)
    assert value == pytest.approx(_compute_fid(*tensors).item(), rel=1e-8)
    fidelity = fid_statistics_to_metric(*moments, verbose=False)
    assert value == pytest.approx(fidelity["frechet_inception_distance"], rel=1e-8)


@pytest.mark.parametrize(("n", "m"), [(12, 200), (200, 12), (12, 15)])
def test_fewer_samples_than_dimensions(n, m):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 20)) + 0.5, rng.normal(size=(m, 20))
    # The eigenvalues that should be 0 are rounding, and their roots about 1e-8 each in the textbook formula.
    groups = np.arange(n) % 3
    assert fid(x, y, groups=groups).value == pytest.approx(by_sqrtm(x, y), rel=1e-5)


@pytest.mark.parametrize(("n", "dim"), [(60, 5), (30, 40), (42, 40)])
def test_replicates_are_the_distance_without_a_group(n, dim):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, dim)) * 2, rng.normal(size=(90, dim))
    groups = rng.integers(0, 6, n)
    found = fid(x, y, groups=groups)
    expected = [fid(x[groups != g], y, groups=groups[groups != g] * 0).value for g in range(6)]
    np.testing.assert_allclose(found.replicates, expected, rtol=1e-9)
    assert found.group_sizes.tolist() == np.bincount(groups).tolist()


def test_a_set_against_itself_is_zero_even_with_dead_features():
    features = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    features[:, 2] = 7.0
    features[:, 5] = features[:, 0]
    assert fid(features, features).value == pytest.approx(0, abs=1e-9)


def test_constant_features_leave_the_distance_of_means_and_the_reference_spread():
    reference = with_moments(100, [0.0, 0], np.diag([1.0, 3]))
    assert fid(np.full((50, 2), 2.0), reference).value == pytest.approx(8 + 4, rel=1e-5)


def test_too_few_samples_warn_for_the_whole_set_and_skip_a_slice():
    generated, reference = clouds(19, 300, 4)
    assert "fewer than 20" in fid(generated, reference).invalid
    assert fid(*clouds(20, 300, 4)).invalid == ""
    with pytest.raises(Skipped, match=r"at least 20 generated and reference samples .* has 19 and 300"):
        fid(generated, reference, whole=False)
    with pytest.raises(Skipped, match="has 300 and 19"):
        fid(reference, generated, whole=False)


@pytest.mark.parametrize(("n", "groups"), [(1, [0]), (3, [0, 0, 1])])
def test_a_single_sample_has_no_covariance(n, groups):
    with pytest.raises(Skipped, match=f"generated samples, has {n}"):
        fid(np.zeros((n, 3)), clouds(dim=3)[1], groups=np.array(groups))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_named(bad):
    generated, reference = clouds()
    generated[[3, 7], 1] = bad
    with pytest.raises(Failed, match="2 of 240 generated images"):
        fid(generated, reference)


def test_a_single_group_gives_no_replicates():
    generated, reference = clouds()
    found = fid(generated, reference, groups=np.zeros(len(generated), np.int64))
    assert len(found.replicates) == len(found.group_sizes) == 0


def test_constant_sets_are_as_far_apart_as_their_means():
    assert fid(np.full((50, 3), 2.0), np.full((60, 3), 1.0)).value == pytest.approx(3)


# --- only the moments of the reference -------------------------------------------------------------------------------


def against_moments(generated, reference, n=None, whole=True):
    inputs = feature_inputs(generated, reference, whole=whole)
    return Fid().compute(replace(inputs, reference=moments(reference, n)))[""]


@pytest.mark.parametrize(("n", "m", "dim"), [(240, 300, 6), (60, 300, 70), (240, 50, 70)])
def test_the_moments_of_the_reference_are_enough(n, m, dim):
    generated, reference = clouds(n, m, dim, shift=0.4)
    known, full = against_moments(generated, reference, m), fid(generated, reference)
    assert known.value == pytest.approx(full.value, rel=1e-7)
    np.testing.assert_allclose(known.replicates, full.replicates, rtol=1e-6)
    np.testing.assert_allclose(known.influence, full.influence, atol=1e-6 * np.abs(full.influence).max())
    assert known.protocol == full.protocol
    assert known.invalid == full.invalid


def test_moments_that_do_not_say_their_number_of_samples():
    generated, reference = clouds(240, 300, 6)
    found = against_moments(generated, reference)
    assert found.protocol["n_reference"] == "unknown"
    assert found.invalid == ""
    assert "made from 20 and an unknown number of samples" in against_moments(generated[:20], reference).invalid
    with pytest.raises(Skipped, match="has 20 and an unknown number of"):
        against_moments(generated[:20], reference, whole=False)


def test_moments_of_other_features_or_of_nan_fail():
    generated, reference = clouds(dim=4)
    with pytest.raises(Failed, match="4 dimensions and those of the reference 3"):
        against_moments(generated, reference[:, :3])
    reference[0] = np.nan
    with pytest.raises(Failed, match="of the reference holds NaN"):
        against_moments(generated, reference)


# --- what each sample adds -------------------------------------------------------------------------------------------


def test_the_influence_is_the_derivative_by_the_weight_of_a_sample():
    """A sample that is there k times as often as all the others are has a larger weight, and exact arithmetic knows."""
    generated, reference = (a.astype(np.float32) for a in clouds(60, 200, 4, shift=0.5, scale=1.4))
    copies, chosen = 2000, 7
    repeated = np.concatenate([np.tile(generated, (copies, 1)), np.repeat(generated[[chosen]], copies // 40, axis=0)])
    plain, heavier = (squared_distance(x.astype(np.float64), fitted(reference)) for x in (
        np.tile(generated, (copies, 1)), repeated
    ))  # fmt: skip
    step = (copies // 40) / len(repeated)
    derivative = (heavier - plain) / step
    influence = fid(np.tile(generated, (20, 1)), reference).influence[chosen] * len(generated) * 20
    assert derivative == pytest.approx(influence, rel=0.01)


@pytest.mark.parametrize("dead", [0, 2])
def test_leaving_a_group_out_takes_its_influence_away(dead):
    generated, reference = clouds(2000, 3000, 8, shift=0.3, scale=1.2)
    generated[:, :dead] = 0
    groups = np.arange(2000) % 20
    found = fid(generated, reference, groups=groups)
    assert found.influence.dtype == np.float32
    assert found.influence.mean() == pytest.approx(0, abs=1e-8)
    first_order = -np.bincount(groups, weights=found.influence) * 2000 / 1900
    changes = found.replicates - found.value
    # What is left is the bias, nearly the same for all groups.
    np.testing.assert_allclose(first_order, changes - changes.mean(), atol=0.1 * changes.std())


def test_outliers_have_the_highest_influence():
    generated, reference = clouds(300, 300, 6)
    generated[[4, 50]] *= 6
    assert set(np.argsort(fid(generated, reference).influence)[-2:]) == {4, 50}


@pytest.mark.parametrize(("n", "m"), [(20, 200), (200, 20)])
def test_influence_is_finite_where_covariances_are_singular(n, m):
    generated, reference = clouds(n, m, 30, shift=0.2)
    found = fid(generated, reference, groups=np.arange(n) % 5)
    assert np.isfinite(found.influence).all()
    assert np.ptp(found.influence) > 0


def test_no_sample_of_constant_features_adds_anything():
    found = fid(np.full((50, 2), 2.0), clouds(dim=2)[1])
    np.testing.assert_array_equal(found.influence, 0)


# --- sets that are out of the ordinary -------------------------------------------------------------------------------


def test_duplicated_images_have_the_covariance_of_few():
    generated, reference = clouds(30, 300, 40, shift=0.2)
    doubled = np.concatenate([generated] * 4)
    groups = np.arange(120) % 30 // 3  # copies leave together
    found = fid(doubled, reference, groups=groups)
    assert found.value == pytest.approx(by_sqrtm(doubled, reference), rel=1e-5)
    assert found.replicates[2] == pytest.approx(by_sqrtm(doubled[groups != 2], reference), rel=1e-5)


def test_features_of_different_dimension_fail():
    with pytest.raises(Failed, match="4 dimensions and those of the reference 3"):
        fid(clouds(dim=4)[0], clouds(dim=3)[1])


def test_features_that_hardly_vary_do_not_disturb_the_rest():
    """Standard deviations from 1 down to 1e-4, as after a ReLU that is nearly always off."""
    generated, reference = clouds(400, 500, 60, scale=1.2)
    scales = np.geomspace(1, 1e-4, 60)
    mean = clouds(dim=60)[1].mean(axis=0)
    generated, reference = generated * scales, (reference - mean) * scales
    factor = (reference - reference.mean(0)) / np.sqrt(499)
    singular = np.linalg.svd((generated - generated.mean(0)) @ factor.T, compute_uv=False).sum() / np.sqrt(399)
    shift = generated.mean(0) - reference.mean(0)
    expected = shift @ shift + generated.var(0, ddof=1).sum() + reference.var(0, ddof=1).sum() - 2 * singular
    assert fid(generated, reference).value == pytest.approx(expected, rel=1e-5)
