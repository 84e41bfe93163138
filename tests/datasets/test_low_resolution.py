"""Inputs of a restoration: they have lost what they should have lost, and know what they were made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from evalsuite.datasets.contract import GroundTruth
from evalsuite.datasets.fashion_mnist import FashionMnist
from evalsuite.datasets.low_resolution import LowResolution, degraded
from evalsuite.errors import Failed

IDS = np.array([3, 9999, 0])


def test_it_knows_the_truth_and_the_classes() -> None:
    dataset, full = LowResolution(of="fashion-mnist"), FashionMnist()
    assert isinstance(dataset, GroundTruth)
    assert not isinstance(full, GroundTruth)
    np.testing.assert_array_equal(dataset.truth(IDS), full.images(IDS))
    np.testing.assert_array_equal(dataset.labels(), full.labels())
    assert dataset.class_names() == full.class_names()
    assert dataset.size() == 10_000


def test_images_are_as_large_as_the_truth_and_poorer() -> None:
    images, truth = (getattr(LowResolution(of="fashion-mnist"), name)(np.arange(50)) for name in ("images", "truth"))
    assert images.shape == truth.shape == (50, 1, 28, 28)
    assert images.dtype == np.uint8
    fine, coarse = (np.abs(np.diff(x.astype(float), axis=-1)).mean() for x in (truth, images))
    assert coarse < 0.7 * fine


def test_a_flat_image_stays_as_it_is() -> None:
    flat = np.full((1, 3, 8, 12), 200, np.uint8)
    np.testing.assert_array_equal(degraded(flat, 4), flat)


def test_only_the_means_of_blocks_matter() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (1, 1, 8, 8), dtype=np.uint8)
    mirrored = image.reshape(1, 1, 2, 4, 2, 4)[:, :, :, ::-1, :, ::-1].reshape(image.shape)
    assert not np.array_equal(image, mirrored)
    np.testing.assert_array_equal(degraded(image, 4), degraded(mirrored, 4))


def test_the_first_images_only() -> None:
    part = LowResolution(of="fashion-mnist", first=20)
    assert part.size() == len(part.labels()) == 20
    assert LowResolution(of="fashion-mnist", first=99_999).size() == 10_000
    np.testing.assert_array_equal(part.images(np.arange(20)), LowResolution(of="fashion-mnist").images(np.arange(20)))


def test_the_fingerprint_covers_images_factor_and_size() -> None:
    variants = [
        LowResolution(of="fashion-mnist"),
        LowResolution(of="fashion-mnist:split=train"),
        LowResolution(of="fashion-mnist", factor=2),
        LowResolution(of="fashion-mnist", first=5),
    ]
    assert len({variant.fingerprint() for variant in variants}) == len(variants)
    assert LowResolution(of="fashion-mnist:split=test").fingerprint() == variants[0].fingerprint()


def test_a_folder_of_one_s_own(tmp_path: Path) -> None:
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(tmp_path / "a.png")
    dataset = LowResolution(of=f"image-folder:path={tmp_path}", factor=2)
    assert dataset.images(np.array([0])).shape == (1, 3, 8, 8)
    assert dataset.labels() is None


def test_blocks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Failed, match=r"found images of 28x28 pixels, expected multiples of factor 3"):
        LowResolution(of="fashion-mnist", factor=3).images(IDS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": "fashion-mnits"}, "did you mean 'fashion-mnist'"),
        ({"of": "fashion-mnist:split=validation"}, "found split=validation, expected 'test' or 'train'"),
        ({"of": "fashion-mnist", "factor": 1}, "greater than or equal to 2"),
        ({"of": "fashion-mnist", "first": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LowResolution.model_validate(settings)
