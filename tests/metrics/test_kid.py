from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kernel_poly, mmd2
from torchmetrics.image.kid import poly_mmd

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics import _kernels
from evalsuite.metrics.kid import Kid
from tests.metrics.inputs import clouds, feature_inputs, moments


def kid(generated, reference):
    return Kid().compute(feature_inputs(generated, reference))[""]


def kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def test_by_hand():
    x, y = np.array([[1.0], [3.0]]), np.array([[0.0], [2.0], [-1.0]])
    within_x = 4**3  # k(1, 3)
    within_y = (1 + 1 + (-1) ** 3) / 3  # k(0, 2), k(0, -1), k(2, -1)
    across = (1 + 27 + 0 + 1 + 343 - 8) / 6
    assert kid(x, y).value == pytest.approx(within_x + within_y - 2 * across)


def test_agrees_with_two_libraries():
    x, y = clouds(150, 150, 8, shift=0.3)
    x, y = x.astype(np.float32).astype(np.float64), y.astype(np.float32).astype(np.float64)
    value = kid(x, y).value
    assert value == pytest.approx(poly_mmd(torch.from_numpy(x), torch.from_numpy(y)).item(), rel=1e-9)
    keywords = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
    matrices = [kernel_poly(a, b, **keywords) for a, b in ((x, x), (x, y), (y, y))]
    assert value == pytest.approx(mmd2(*matrices), rel=1e-9)


def test_the_projection_is_its_definition():
    x, y = (a.astype(np.float32).astype(np.float64) for a in clouds(40, 60, 3, shift=0.2))
    within = kernel(x, x)
    np.fill_diagonal(within, 0)
    expected = 2 * (within.sum(axis=1) / 39 - kernel(x, y).mean(axis=1))
    np.testing.assert_allclose(kid(x, y).per_sample, expected, rtol=1e-10)


def test_the_spread_of_the_projection_is_the_standard_error_given_the_reference():
    reference = clouds(m=400)[1]
    runs = [kid(clouds(150, shift=0.4, seed=seed)[0], reference) for seed in range(150)]
    estimated = np.mean([run.per_sample.std(ddof=1) / np.sqrt(150) for run in runs])
    assert estimated == pytest.approx(np.std([run.value for run in runs]), rel=0.2)


def test_a_set_against_itself_comes_out_slightly_below_zero():
    x, _ = clouds(200)
    assert -0.2 < kid(x, x).value < 0


def test_blocks_change_nothing(monkeypatch):
    x, y = clouds(101, 67)
    whole = kid(x, y)
    monkeypatch.setattr(_kernels, "BLOCK", 16)
    monkeypatch.setattr(_kernels, "mean_of_reference", _kernels.mean_of_reference.__wrapped__)
    blocked = kid(x, y)
    assert blocked.value == pytest.approx(whole.value, rel=1e-12)
    np.testing.assert_allclose(blocked.per_sample, whole.per_sample, rtol=1e-12)


def test_a_single_sample_is_skipped_and_nan_fails():
    x, y = clouds()
    with pytest.raises(Skipped, match="at least 2"):
        kid(x[:1], y)
    x[0, 0] = np.nan
    with pytest.raises(Failed, match="1 of 240 generated"):
        kid(x, y)


def test_the_influence_is_what_leaving_samples_out_takes_away():
    x, y = clouds(400, 300, 5, shift=0.5)
    found = kid(x, y)
    gone = np.argsort(found.influence)[-4:]
    without = kid(np.delete(x, gone, axis=0), y).value
    assert found.influence.dtype == np.float32
    assert found.influence.mean() == pytest.approx(0, abs=1e-8)
    assert without - found.value == pytest.approx(-found.influence[gone].sum() * 400 / 396, rel=0.05)


def test_duplicated_samples_raise_the_value():
    x, y = clouds(100, 300, 4)
    assert kid(np.concatenate([x, x]), y).value > kid(x, y).value


def test_moments_of_the_reference_are_not_enough():
    inputs = replace(feature_inputs(*clouds()), reference=moments(clouds()[1]))
    with pytest.raises(Skipped, match="only their mean and covariance"):
        Kid().compute(inputs)
