"""Inception features, and five metrics of them end to end, beside torch-fidelity with the same random weights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch_fidelity import calculate_metrics
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

import evalsuite
from evalsuite import plugins
from tests.benchmarks.turns import ratio_to
from tests.features import random_inception

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

LEAST = {"float32": 1.4, "bfloat16": 2.6}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_inception.save_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def pinned(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random_inception.pin(file, monkeypatch)


@pytest.mark.parametrize("dtype", LEAST)
def test_features_of_a_batch(dtype: str, benchmark: BenchmarkFixture, file: Path) -> None:
    peer = FeatureExtractorInceptionV3("compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(file))
    count = 16 if benchmark.enabled else 2
    images = np.random.default_rng(0).integers(0, 256, (count, 3, 299, 299), np.uint8)

    def theirs() -> torch.Tensor:
        with torch.inference_mode():
            return peer(torch.from_numpy(images))[0]

    with plugins.make("features", f"inception-v3:preprocessing=tf1,dtype={dtype}").open() as ours:
        found, expected, ratio = ratio_to(benchmark, lambda: ours.extract(images).features, theirs)
    assert np.abs(found - expected.numpy()).max() <= {"float32": 1e-4, "bfloat16": 0.1}[dtype] * expected.abs().max()
    if ratio is not None and measurable(dtype):
        assert ratio >= LEAST[dtype]


def measurable(dtype: str) -> bool:
    """bfloat16 is emulated, slowly, where the processor lacks it."""
    return dtype == "float32" or "avx512_bf16" in Path("/proc/cpuinfo").read_text("utf-8")


# --- end to end ------------------------------------------------------------------------------------------------------

METRICS = ("fid", "inception_score", "kid", {"precision": {"k": 3}}, {"recall": {"k": 3}})
LEAST_WHOLE = {"float32": 1.5, "bfloat16": 2.5}
MOST_AGAIN = 0.05

# Torch-fidelity reads images in four processes by default, also where there are two cores.
four_readers = pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")


class Folders:
    """Two folders of pictures, and the five metrics of them by both tools."""

    def __init__(self, parent: Path, count: int) -> None:
        self.parent, self.count = parent, count
        self.folders = [parent / "generated", parent / "reference"]
        for seed, folder in enumerate(self.folders):
            folder.mkdir()
            images = random_inception.pictures(64, count, np.random.default_rng(seed))
            for number, image in enumerate(images):
                Image.fromarray(image.transpose(1, 2, 0)).save(folder / f"{number:04d}.png")

    def ours(self, dtype: str) -> dict[str, float]:
        """Every value with its interval; features are kept."""
        found, missing = evalsuite.measure(
            generated=self.folders[0],
            reference=self.folders[1],
            metrics=METRICS,
            extractor=f"inception-v3:preprocessing=tf1,dtype={dtype}",
            cache=self.parent / "cache",
        )
        assert not missing
        return {measurement.name: measurement.value for measurement in found}

    def theirs(self, weights: Path, metrics: Sequence[str], extractor: str) -> dict[str, float]:
        chosen = dict.fromkeys(metrics, True)
        one, other = map(str, self.folders)
        common = {"cuda": False, "cache": False, "verbose": False, "isc_splits": 1, "kid_subset_size": self.count}
        return calculate_metrics(
            input1=one,
            input2=other,
            feature_extractor=extractor,
            feature_extractor_weights_path=str(weights),
            **common,
            **chosen,
        )


@four_readers
@pytest.mark.parametrize("dtype", LEAST_WHOLE)
def test_five_metrics_by_one_network(dtype: str, benchmark: BenchmarkFixture, file: Path, tmp_path: Path) -> None:
    """Inception on both sides; and once more on ours, from the features kept."""
    folders = Folders(tmp_path, 1000 if benchmark.enabled else 24)

    def theirs() -> dict[str, float]:
        return folders.theirs(file, ("isc", "fid", "kid", "prc"), "inception-v3-compat")

    found, expected, ratio = ratio_to(benchmark, lambda: folders.ours(dtype), theirs, rounds=1)
    begin = time.perf_counter()
    assert folders.ours(dtype) == found
    again = time.perf_counter() - begin
    tolerance = {"float32": 1e-3, "bfloat16": 0.05}[dtype]
    assert found["fid"] == pytest.approx(expected["frechet_inception_distance"], rel=tolerance)
    assert found["inception_score"] == pytest.approx(expected["inception_score_mean"], rel=tolerance)
    for name in ("precision", "recall"):
        assert found[name] == pytest.approx(expected[name], abs=20 * tolerance)
    if ratio is not None and benchmark.stats is not None:
        benchmark.extra_info["second call"] = again / benchmark.stats.stats.median
        benchmark.extra_info["values"] = [found, expected]
        assert again <= MOST_AGAIN * benchmark.stats.stats.median
        assert not measurable(dtype) or ratio >= LEAST_WHOLE[dtype]


@four_readers
def test_five_metrics_beside_its_defaults(benchmark: BenchmarkFixture, file: Path, tmp_path: Path) -> None:
    """Torch-fidelity takes VGG-16 for precision and recall where nothing else is said."""
    folders = Folders(tmp_path, 200 if benchmark.enabled else 8)
    vgg = tmp_path / "vgg16.pth"
    torch.save(torchvision.models.vgg16().state_dict(), vgg)

    def theirs() -> None:
        folders.theirs(file, ("isc", "fid", "kid"), "inception-v3-compat")
        folders.theirs(vgg, ("prc",), "vgg16")

    _, _, ratio = ratio_to(benchmark, lambda: folders.ours("float32"), theirs, rounds=1)
    assert ratio is None or ratio >= LEAST_WHOLE["float32"]
