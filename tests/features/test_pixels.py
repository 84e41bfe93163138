import numpy as np
import pytest

from evalsuite.errors import Failed
from evalsuite.features.pixels import Pixels


def test_equal_cells_are_plain_means():
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28), np.uint8)
    with Pixels().open() as extractor:
        features, logits = extractor.extract(images)
    expected = images.reshape(3, 7, 4, 7, 4).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(features, expected.reshape(3, 49), rtol=1e-6)
    assert features.dtype == np.float32
    assert logits is None


@pytest.mark.parametrize("shape", [(7, 7), (10, 31), (64, 48)])
def test_a_uniform_image_has_uniform_features_at_any_size(shape):
    with Pixels().open() as extractor:
        features, _ = extractor.extract(np.full((2, 3, *shape), 51, np.uint8))
    np.testing.assert_allclose(features, 0.2, rtol=1e-6)


def test_features_do_not_depend_on_the_batch():
    images = np.random.default_rng(0).integers(0, 256, (8, 3, 32, 32), np.uint8)
    with Pixels().open() as extractor:
        whole = extractor.extract(images).features
        parts = [extractor.extract(images[i : i + 1]).features for i in range(8)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_images_that_are_too_small_are_refused():
    with Pixels().open() as extractor, pytest.raises(Failed, match="at least 7x7, found 6x9"):
        extractor.extract(np.zeros((1, 1, 6, 9), np.uint8))
