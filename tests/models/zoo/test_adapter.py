"""The zoo's adapter: the same seed gives the same image in any batch, and settings that make no sense are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.zoo import Zoo, checkpoint, to_uint8
from evalsuite.pairing import labels_of, seeds_of
from evalsuite.plugins import find
from evalsuite.records import NoiseSpec

MODELS = checkpoint.names()
TOLERANCE = 1e-4
"""Largest difference of a pixel in [-1, 1] between batch sizes and thread counts, before rounding."""


def batch(ids, noise=NoiseSpec()) -> Batch:
    ids = np.asarray(ids, dtype=np.int64)
    return Batch(ids, seeds_of(ids, seed=3), labels_of(ids, 10), noise=noise)


def zoo(name: str) -> Zoo:
    return Zoo(name=name, num_steps=4) if name == "fashion-teacher" else Zoo(name=name)


@pytest.fixture
def cpu():
    return find("targets", "cpu")()


@pytest.mark.parametrize("name", MODELS)
def test_image_does_not_depend_on_batch_size_or_threads(name, cpu):
    threads = torch.get_num_threads()
    with zoo(name).open(cpu) as model, torch.inference_mode():
        try:
            torch.set_num_threads(2)
            whole = model.sample(batch(range(12)), NoProbe())
            torch.set_num_threads(1)
            parts = torch.cat([model.sample(batch(ids), NoProbe()) for ids in ([0], [1, 2, 3, 4], range(5, 12))])
        finally:
            torch.set_num_threads(threads)
    assert (whole - parts).abs().max() < TOLERANCE


@pytest.mark.parametrize("name", MODELS)
def test_images_have_the_declared_shape_and_count_their_steps(name, cpu):
    adapter = zoo(name)
    with adapter.open(cpu) as model:
        images = model.generate(batch(range(3)), NoProbe())
    assert images.dtype == np.uint8
    assert images.shape == (3, *adapter.capabilities().image_shape)
    guidance = 2 if name == "fashion-teacher" else 1
    assert adapter.capabilities().nfe == guidance * adapter.capabilities().num_steps


def test_stronger_noise_changes_the_image(cpu):
    with Zoo(name="fashion-1step").open(cpu) as model:
        plain, strong = (model.generate(batch(range(2), noise), NoProbe()) for noise in (NoiseSpec(), NoiseSpec(1.2)))
    assert not np.array_equal(plain, strong)


def test_fingerprint_covers_weights_steps_and_guidance():
    teachers = [
        Zoo(name="fashion-teacher"),
        Zoo(name="fashion-teacher", num_steps=8),
        Zoo(name="fashion-teacher", guidance_scale=1.0),
        Zoo(name="fashion-4step"),
    ]
    assert len({teacher.fingerprint() for teacher in teachers}) == len(teachers)
    assert Zoo(name="fashion-teacher", num_steps=16).fingerprint() == Zoo(name="fashion-teacher").fingerprint()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "fashion-techer"}, "did you mean 'fashion-teacher'"),
        ({"name": "fashion-4step", "num_steps": 8}, "in the 4 steps it was trained for"),
        ({"name": "fashion-4step", "guidance_scale": 2.0}, "takes no guidance_scale"),
        ({"name": "fashion-teacher", "num_steps": 0}, "greater than or equal to 1"),
        ({"name": "fashion-teacher", "guidance_scale": float("nan")}, "finite"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Zoo(**settings)


def test_values_that_are_not_finite_never_become_pixels():
    with pytest.raises(FloatingPointError, match="not finite"):
        to_uint8(np.array([0.0, np.nan], dtype=np.float32))


def test_rounding_to_pixels():
    assert to_uint8(np.array([-2.0, -1.0, 0.0, 1.0, 2.0], dtype=np.float32)).tolist() == [0, 0, 128, 255, 255]


def test_the_whole_zoo_stays_small():
    assert sum(checkpoint.path_of(name).stat().st_size for name in MODELS) < 30_000_000
