"""Inception-v3 with random weights in the published layout, beside the tools whose conventions it follows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from cleanfid.resize import build_resizer
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from evalsuite import plugins
from evalsuite.errors import Failed, Unavailable
from evalsuite.features._resizing import resized
from tests.features import random_inception

RANDOM = np.random.default_rng(0)
SIZES = (28, 64, 299, 512)


def pictures(size: int, count: int = 2) -> np.ndarray:
    return random_inception.pictures(size, count, RANDOM)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_inception.save_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def pinned(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random_inception.pin(file, monkeypatch)


def extracted(images: np.ndarray, text: str = "inception-v3"):
    with plugins.make("features", text).open() as extractor:
        return extractor.extract(images)


@pytest.fixture(scope="module")
def peer(file: Path) -> FeatureExtractorInceptionV3:
    layers = ["64", "192", "768", "2048", "logits_unbiased"]
    return FeatureExtractorInceptionV3("inception-v3-compat", layers, feature_extractor_weights_path=str(file))


def near(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-4) -> None:
    """Relative to the size of the expected features."""
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()
    assert expected.std(axis=0).max() > 1e-3


@pytest.mark.parametrize("size", SIZES)
def test_tf1_is_torch_fidelity_at_every_layer(size: int, peer: FeatureExtractorInceptionV3) -> None:
    images = pictures(size)
    expected = [part.numpy() for part in peer(torch.from_numpy(images))]
    for layer, theirs in zip((64, 192, 768), expected, strict=False):
        near(extracted(images, f"inception-v3:preprocessing=tf1,layer={layer}").features, theirs)
    features, logits = extracted(images, "inception-v3:preprocessing=tf1")
    near(features, expected[3])
    near(logits, expected[4])


@pytest.mark.parametrize("size", SIZES)
def test_clean_resizes_as_clean_fid_does(size: int) -> None:
    images = pictures(size)
    resize = build_resizer("clean")
    expected = np.stack([resize(image.transpose(1, 2, 0)) for image in images]).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(resized(images, 299, "clean"), expected, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_antialias_resizes_as_torchmetrics_does(size: int) -> None:
    images = pictures(size)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(images).float(), size=(299, 299), mode="bilinear", align_corners=False, antialias=True
    )
    np.testing.assert_allclose(resized(images, 299, "antialias"), expected, atol=1e-4)


def test_conventions_differ_where_images_shrink_and_the_fingerprint_tells_them_apart() -> None:
    images = pictures(512)
    found = {name: extracted(images, f"inception-v3:preprocessing={name},layer=192").features for name in
             ("clean", "tf1", "antialias")}  # fmt: skip
    assert np.abs(found["clean"] - found["tf1"]).max() > 0.01 * np.abs(found["clean"]).max()
    texts = ("inception-v3", "inception-v3:preprocessing=tf1", "inception-v3:layer=192", "inception-v3:dtype=bfloat16")
    assert len({plugins.make("features", text).fingerprint() for text in texts}) == 4


def test_features_do_not_depend_on_the_batch() -> None:
    images = pictures(64, 5)
    whole = extracted(images)
    with plugins.make("features", "inception-v3").open() as extractor:
        parts = [extractor.extract(images[i : i + 1]) for i in range(5)]
    near(np.concatenate([part.features for part in parts]), whole.features, 1e-6)
    near(np.concatenate([part.logits for part in parts]), whole.logits, 2e-6)


def test_gray_is_colour_of_equal_channels() -> None:
    gray = pictures(64)[:, :1]
    np.testing.assert_array_equal(extracted(gray).features, extracted(gray.repeat(3, axis=1)).features)
    with pytest.raises(Failed, match="one or three channels, found 4"):
        extracted(np.zeros((1, 4, 32, 32), np.uint8))


def test_bfloat16_is_near() -> None:
    images = pictures(64)
    near(extracted(images, "inception-v3:dtype=bfloat16").features, extracted(images).features, 0.05)


def test_without_weights_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(tmp_path))
    with pytest.raises(Unavailable, match="evalsuite weights fetch inception-v3"):
        plugins.make("features", "inception-v3").fingerprint()


def test_other_weights_fail(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.load(file, weights_only=True)
    state.pop("Mixed_7c.branch_pool.bn.bias")
    torch.save(state, tmp_path / file.name)
    random_inception.pin(tmp_path / file.name, monkeypatch)
    with pytest.raises(Failed, match=r"1 names differ, such as Mixed_7c\.branch_pool\.bn\.bias"):
        extracted(pictures(32))
