"""The bundled extractor: it classifies the test split, and a picture's features do not depend on its batch."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.errors import Failed
from evalsuite.features.fashion_cnn import FashionCnn
from evalsuite.plugins import find

IDS = np.arange(1000)


@pytest.fixture(scope="module")
def dataset():
    return find("datasets", "fashion-mnist")()


@pytest.fixture(scope="module")
def extracted(dataset):
    with FashionCnn().open() as extractor:
        return extractor.extract(dataset.images(IDS))


def test_classifies_unseen_pictures(dataset, extracted):
    accuracy = (extracted.logits.argmax(axis=1) == dataset.labels()[IDS]).mean()
    assert accuracy > 0.9


def test_shapes_and_dtypes(extracted):
    assert extracted.features.shape == (1000, FashionCnn.dim)
    assert extracted.logits.shape == (1000, 10)
    assert extracted.features.dtype == extracted.logits.dtype == np.float32


def test_features_do_not_depend_on_the_batch(dataset, extracted):
    with FashionCnn().open() as extractor:
        alone = extractor.extract(dataset.images(IDS[7:8])).features
    assert np.abs(alone - extracted.features[7:8]).max() < 1e-4


def test_other_shapes_are_refused():
    images = np.zeros((2, 3, 32, 32), dtype=np.uint8)
    with FashionCnn().open() as extractor, pytest.raises(Failed, match="takes images of 1x28x28, found 3x32x32"):
        extractor.extract(images)
