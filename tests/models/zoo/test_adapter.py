"""The zoo's adapter: the same seed gives the same image in any batch, and settings that make no sense are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, Blend, Differentiable, NoProbe
from evalsuite.models.zoo import Zoo, checkpoint, to_uint8
from evalsuite.pairing import labels_of, seeds_of
from evalsuite.plugins import find
from evalsuite.records import NoiseSpec

MODELS = checkpoint.names()
TOLERANCE = 1e-4
"""Largest difference of a pixel in [-1, 1] between batch sizes and thread counts, before rounding."""


def batch(ids, noise=NoiseSpec()) -> Batch:
    """Asks for classes and for images: a model takes what it understands."""
    ids = np.asarray(ids, dtype=np.int64)
    images = find("datasets", "low-resolution")(of="fashion-mnist").images(ids)
    return Batch(ids, seeds_of(ids, seed=3), labels_of(ids, 10), images=images, noise=noise)


def zoo(name: str) -> Zoo:
    return Zoo(name=name, num_steps=4) if name.endswith("teacher") else Zoo(name=name)


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
    capabilities = adapter.capabilities()
    if capabilities.num_steps is None:
        assert (capabilities.nfe, capabilities.noise) == (1, False)
    else:
        assert capabilities.nfe == (2 if name == "fashion-teacher" else 1) * capabilities.num_steps


@pytest.mark.parametrize("name", checkpoint.names("image"))
def test_restoration_follows_its_input(name, cpu):
    asked = batch(range(64))
    truth = find("datasets", "fashion-mnist")().images(np.arange(64)).astype(float)
    with zoo(name).open(cpu) as model:
        restored = model.generate(asked, NoProbe())
    own, others = (((restored - x) ** 2).mean() for x in (truth, np.roll(truth, 1, axis=0)))
    assert own < 0.7 * ((asked.images - truth) ** 2).mean() < others


@pytest.mark.parametrize("images", [None, np.zeros((2, 3, 32, 32), np.uint8)])
@pytest.mark.parametrize("name", ["restore-teacher", "restore-cnn"])
def test_restoration_without_a_fitting_input_fails(name, images, cpu):
    found = "no images" if images is None else "images of 3x32x32"
    with zoo(name).open(cpu) as model, pytest.raises(Failed, match=f"found {found}, expected inputs of 1x28x28"):
        model.generate(replace(batch(range(2)), images=images), NoProbe())


@pytest.mark.parametrize("name", MODELS)
def test_what_is_generated_is_the_rounded_forward_pass(name, cpu):
    asked = batch(range(3))
    with zoo(name).open(cpu) as model:
        assert isinstance(model, Differentiable)
        forward = model.forward(model.noise(asked), model.condition(asked))
        generated = model.generate(asked, NoProbe())
    assert not forward.requires_grad
    assert np.abs(forward.clip(0, 255).numpy() - generated).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("name", ["fashion-1step", "restore-teacher", "restore-cnn"])
def test_gradients_reach_the_noise_and_the_input(name, cpu):
    asked = batch(range(2))
    with zoo(name).open(cpu) as model:
        arguments = [model.noise(asked), model.condition(asked)]
        floats = [x.requires_grad_() for x in arguments if x is not None and x.is_floating_point()]
        assert not torch.is_grad_enabled()  # the target has prepared the model
        restored = model.forward(*arguments)
        with torch.enable_grad():
            pixel = restored[0, 0, 14, 14]
        pixel.backward()
        for argument in floats:
            step = torch.zeros_like(argument)
            step[0] = 1e-2 * argument.grad[0] / argument.grad[0].norm()
            moved = [x.detach() + step if x is argument else x for x in arguments]
            expected = float((argument.grad * step).sum())
            assert float(model.forward(*moved)[0, 0, 14, 14] - pixel) == pytest.approx(expected, rel=0.1)
            assert argument.grad[1].abs().max() == 0
    assert len(floats) == (2 if name == "restore-teacher" else 1)


def test_classes_can_be_mixed_and_left_out(cpu):
    asked = batch(range(4))
    others = (asked.labels + 1) % 10
    with Zoo(name="fashion-1step").open(cpu) as model:
        first, second = (model.generate(replace(asked, labels=x), NoProbe()) for x in (asked.labels, others))
        ends = [model.generate(replace(asked, blend=Blend(others, weight)), NoProbe()) for weight in (0.0, 1.0)]
        half = model.generate(replace(asked, blend=Blend(others, 0.5)), NoProbe())
        empty = model.generate(replace(asked, labels=None), NoProbe())
    np.testing.assert_array_equal(ends, [first, second])
    assert all(not np.array_equal(half, other) for other in (first, second, empty))
    assert Zoo(name="fashion-1step").capabilities().unusual == {"blend", "empty"}


def test_mixed_classes_are_guided_as_one(cpu):
    asked = batch(range(2))
    same = replace(asked, blend=Blend(asked.labels, 0.3))
    with Zoo(name="fashion-teacher", num_steps=2).open(cpu) as model:
        np.testing.assert_allclose(model.sample(same, NoProbe()), model.sample(asked, NoProbe()), atol=1e-5)


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
        ({"name": "restore-teacher", "guidance_scale": 2.0}, "was trained without guidance and takes no"),
        ({"name": "restore-cnn", "num_steps": 2}, "is a regression without steps and takes no num_steps"),
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
