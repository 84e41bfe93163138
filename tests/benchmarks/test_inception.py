"""Inception features: images a second beside torch-fidelity, from the same random weights."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from evalsuite.features._inception_network import InceptionNetwork
from evalsuite.features.inception_v3 import InceptionV3, _Loaded
from tests.benchmarks.turns import ratio_to

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

LEAST = {"float32": 1.4, "bfloat16": 2.6}


@cache
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    tensors = InceptionNetwork().state_dict()
    return {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}


@pytest.mark.parametrize("dtype", LEAST)
def test_features_of_a_batch(dtype: str, benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    torch.save(state(), tmp_path / "weights.pth")
    peer = FeatureExtractorInceptionV3(
        "compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(tmp_path / "weights.pth")
    )
    network = InceptionNetwork()
    network.load_state_dict(state(), strict=False)
    ours = _Loaded(InceptionV3(preprocessing="tf1", dtype=dtype), network.folded(getattr(torch, dtype)))
    count = 16 if benchmark.enabled else 2
    images = np.random.default_rng(0).integers(0, 256, (count, 3, 299, 299), np.uint8)

    def theirs() -> torch.Tensor:
        with torch.inference_mode():
            return peer(torch.from_numpy(images))[0]

    found, expected, ratio = ratio_to(benchmark, lambda: ours.extract(images).features, theirs)
    assert np.abs(found - expected.numpy()).max() <= {"float32": 1e-4, "bfloat16": 0.1}[dtype] * expected.abs().max()
    if ratio is not None and (dtype == "float32" or torch.backends.cpu.get_cpu_capability() == "AVX512"):
        assert ratio >= LEAST[dtype]
