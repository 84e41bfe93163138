"""Fréchet distances of 2048 features: the value and its jackknife, beside what other tools do.

Peers start from means and covariances, which their own formulas take; at n = 1000 ours starts from features, since it
is the few samples that make it cheap, and makes the covariances in its time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.linalg
import torch
from numpy.typing import NDArray
from torchmetrics.image.fid import _compute_fid

from evalsuite.metrics._frechet import Cloud, Gaussian, fitted, squared_distance
from evalsuite.metrics._square_root import sum_of_roots
from evalsuite.stats.jackknife import jackknife
from tests.benchmarks.turns import ratio_to

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

Floats = NDArray[np.float64]
Moments = tuple[Floats, Floats]

GROUPS = 20
LEAST = {("scipy", 5000): 8, ("scipy", 1000): 30, ("torchmetrics", 5000): 1.9, ("torchmetrics", 1000): 8}
MOST_JACKKNIFE = 4


@cache
def features(n: int, dim: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Skewed, correlated, and above 0, as the features of a network with a ReLU before its pooling."""
    random = np.random.default_rng(0)
    mix = 0.02 * random.normal(size=(dim, dim)) * np.linspace(0.05, 1, dim)
    generated, reference = (np.abs(random.normal(size=(n, dim)) @ mix) for _ in range(2))
    return (1.05 * generated + 0.01).astype(np.float32), reference.astype(np.float32)


@cache
def moments(n: int, dim: int) -> tuple[Moments, Moments]:
    generated, reference = (side.astype(np.float64) for side in features(n, dim))
    return (generated.mean(0), np.cov(generated, rowvar=False)), (reference.mean(0), np.cov(reference, rowvar=False))


def by_scipy(n: int, dim: int) -> float:
    """The formula of pytorch-fid and clean-fid."""
    (mu, sigma), (mu_r, sigma_r) = moments(n, dim)
    root = scipy.linalg.sqrtm(sigma @ sigma_r).real
    return float(((mu - mu_r) ** 2).sum() + np.trace(sigma + sigma_r - 2 * root))


def by_torchmetrics(n: int, dim: int) -> float:
    return float(_compute_fid(*(torch.from_numpy(part) for side in moments(n, dim) for part in side)))


def ours(n: int, dim: int) -> float:
    if n < dim:
        generated, reference = features(n, dim)
        return squared_distance(generated.astype(np.float64), fitted.__wrapped__(reference))
    (mu, sigma), (mu_r, sigma_r) = moments(n, dim)
    target = Gaussian.of(mu_r, sigma_r)
    root = sum_of_roots(np.linalg.eigvalsh(target.product(sigma)), dim)
    return float(((mu - mu_r) ** 2).sum() + np.trace(sigma) + target.trace - 2 * root)


def size(benchmark: BenchmarkFixture, n: int) -> tuple[int, int]:
    """Samples and dimensions; a tenth where benchmarks are off, so that the tests stay quick."""
    return (n, 2048) if benchmark.enabled else (n // 10, 205)


@pytest.mark.parametrize(("peer", "n"), LEAST)
def test_value(peer: str, n: int, benchmark: BenchmarkFixture) -> None:
    at = size(benchmark, n)
    by_peer = {"scipy": by_scipy, "torchmetrics": by_torchmetrics}[peer]
    found, theirs, ratio = ratio_to(benchmark, lambda: ours(*at), lambda: by_peer(*at))
    assert found == pytest.approx(theirs, rel=1e-6)
    assert ratio is None or ratio > LEAST[peer, n]


def test_jackknife_of_20_groups(benchmark: BenchmarkFixture) -> None:
    """From features to 20 replicates and the influence of each sample, in a few times one value of torchmetrics."""
    at = size(benchmark, 5000)
    generated, reference = features(*at)
    groups = np.arange(at[0]) % GROUPS

    def replicates() -> tuple[float, Floats]:
        cloud = Cloud.of(generated.astype(np.float64), fitted.__wrapped__(reference))
        cloud.influence()
        return cloud.distance(), np.array([cloud.distance_of(groups != group) for group in range(GROUPS)])

    (value, found), theirs, ratio = ratio_to(benchmark, replicates, lambda: by_torchmetrics(*at))
    target = fitted.__wrapped__(reference)
    exact = np.array([squared_distance(generated[groups != g].astype(np.float64), target) for g in range(GROUPS)])
    sizes = np.bincount(groups)
    mine, right = jackknife(value, found, sizes), jackknife(value, exact, sizes)
    assert value == pytest.approx(theirs, rel=1e-6)
    assert mine.standard_error == pytest.approx(right.standard_error, rel=0.02)
    assert mine.value == pytest.approx(right.value, abs=0.02 * right.standard_error)
    if ratio is not None:
        benchmark.extra_info["error_of_debiased_value_in_standard_errors"] = (
            abs(mine.value - right.value) / right.standard_error
        )
        assert ratio > 1 / MOST_JACKKNIFE
