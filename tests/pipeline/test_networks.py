"""Layers of one network come out of one pass, in a run and in a measurement without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import evalsuite
from evalsuite import plugins
from evalsuite.features._inception_network import InceptionNetwork
from evalsuite.pipeline.conditions import Conditions
from evalsuite.pipeline.extract import ROOM, Order, Source, extract_missing
from evalsuite.pipeline.networks import passes_of
from evalsuite.pipeline.samples import Span
from evalsuite.store import Store
from evalsuite.suite.schema import ReferenceSpec
from tests.features import random_inception

LAYERS = ("inception-v3:layer=64", "inception-v3:layer=192")


@pytest.fixture(autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    random_inception.pin(random_inception.save_weights(tmp_path_factory.mktemp("weights")), monkeypatch)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Images of each call of the network."""
    calls: list[int] = []
    forward = InceptionNetwork.forward

    def counted(self, images, deepest=2048):
        calls.append(len(images))
        return forward(self, images, deepest)

    monkeypatch.setattr(InceptionNetwork, "forward", counted)
    return calls


def test_only_layers_with_the_same_settings_pass_together() -> None:
    names = ["pixels", *LAYERS, "inception-v3:layer=64,preprocessing=tf1", "spectrum"]
    extractors = {name: plugins.make("features", name) for name in names}
    assert passes_of(extractors) == [("pixels",), LAYERS, (names[3],), ("spectrum",)]


def test_a_run_takes_one_pass(tmp_path: Path, passes: list[int]) -> None:
    store = Store(tmp_path)
    reference = ReferenceSpec(dataset="fashion-mnist")
    order = Order(store, LAYERS, reference, Conditions(), (Source("reference", Span(0, 4), ("64/a", "192/a")),))
    assert extract_missing(order, lambda done, total: None) == {}
    assert passes == [4]
    images = plugins.find("datasets", "fashion-mnist")().images(np.arange(4))
    for name, key in zip(LAYERS, ("64/a", "192/a"), strict=True):
        with plugins.make("features", name).open() as alone:
            np.testing.assert_array_equal(store.read(ROOM, key)["features"], alone.extract(images).features)


def test_a_measurement_takes_one_pass_a_side(tmp_path: Path, passes: list[int]) -> None:
    generated, reference = (np.random.default_rng(seed).integers(0, 256, (6, 32, 32, 3), np.uint8) for seed in (0, 1))
    metrics = [{"kid": {"extractor": LAYERS[0]}}, {"fid": {"extractor": LAYERS[1]}}]
    found, missing = evalsuite.measure(generated=generated, reference=reference, metrics=metrics, cache=tmp_path)
    assert [m.extractor for m in found] == list(LAYERS)
    assert not missing
    assert passes == [6, 6]
    one, _ = evalsuite.measure(generated=generated, reference=reference, metrics=metrics[:1], cache=tmp_path / "other")
    assert one[0].value == found[0].value
