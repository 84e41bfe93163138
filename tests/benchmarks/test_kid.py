"""The U-statistic over all pairs, beside the usual mean over random subsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kid_features_to_metric

from evalsuite.metrics import _kernels
from evalsuite.metrics._kernels import mmd
from evalsuite.metrics.kid import cubic
from tests.benchmarks.test_frechet import features
from tests.benchmarks.turns import ratio_to

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SUBSETS, SUBSET_SIZE = 100, 1000


def test_all_pairs_cost_no_more_than_a_hundred_subsets(
    benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At n = 5000 and 2048 features, with the reference's own pairs, which later models would not compute again."""
    monkeypatch.setattr(_kernels, "mean_of_reference", _kernels.mean_of_reference.__wrapped__)
    n, dim, subset_size = (5000, 2048, SUBSET_SIZE) if benchmark.enabled else (500, 205, SUBSET_SIZE // 5)
    sides = features(n, dim)

    def ours() -> float:
        generated, reference = (side.astype(np.float64) / dim**0.5 for side in sides)
        return mmd(generated, reference, cubic, {}).value

    def theirs() -> dict[str, float]:
        options = {"kid_subsets": SUBSETS, "kid_subset_size": subset_size, "verbose": False}
        return kid_features_to_metric(*map(torch.from_numpy, sides), **options)  # type: ignore[no-any-return]

    found, of_subsets, ratio = ratio_to(benchmark, ours, theirs)
    spread = of_subsets["kernel_inception_distance_std"]
    assert found == pytest.approx(of_subsets["kernel_inception_distance_mean"], abs=spread)
    assert ratio is None or ratio > 1
