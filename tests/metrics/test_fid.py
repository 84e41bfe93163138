import numpy as np
import pytest
import scipy.linalg
import torch
from torch_fidelity.metric_fid import fid_statistics_to_metric
from torchmetrics.image.fid import _compute_fid

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.fid import Fid
from tests.metrics.inputs import clouds, feature_inputs, with_moments


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
    assert "fewer than 20" in fid(generated, reference).warning
    assert fid(*clouds(20, 300, 4)).warning == ""
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
