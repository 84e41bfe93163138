"""The baseline that does nothing: what goes in comes out."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, ModelAdapter, NoProbe

IMAGES = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)


def generated(images: np.ndarray | None) -> np.ndarray:
    adapter = plugins.find("models", "identity")()
    assert isinstance(adapter, ModelAdapter)
    ids = np.arange(2)
    with adapter.open(plugins.find("targets", "cpu")()) as model:
        return model.generate(Batch(ids, ids, images=images), NoProbe())


def test_images_come_out_as_they_went_in() -> None:
    np.testing.assert_array_equal(generated(IMAGES), IMAGES)


def test_without_images_it_fails() -> None:
    with pytest.raises(Failed, match="found no images to return"):
        generated(None)


def test_it_describes_itself() -> None:
    adapter = plugins.find("models", "identity")()
    capabilities = adapter.capabilities()
    assert (capabilities.condition, capabilities.nfe, capabilities.timed) == ("image", 0, False)
    assert len(adapter.fingerprint()) == 64
    assert adapter.provenance()["licence"] == "Apache-2.0"
