"""DISTS with a random backbone in the published layout, against torchmetrics in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchmetrics.functional.image.dists as torchmetrics_dists
from safetensors.torch import load_file
from torchvision import models

from evalsuite import weights
from evalsuite.errors import Failed, Skipped, Unavailable
from evalsuite.metrics.dists import LEARNED, Dists
from tests.metrics.inputs import images, noisy, pair_inputs

A = images(5, size=64, channels=3)
B = noisy(A, 25)


def values(a=A, b=B):
    return Dists().compute(pair_inputs(a, b))[""]


@pytest.fixture
def peer(monkeypatch):
    """Their network with these weights, in place of the download that it would start itself."""
    with torch.device("meta"):
        backbone = models.vgg16(weights=None)
    backbone.load_state_dict(weights.load(weights.find("vgg16")), strict=False, assign=True)
    monkeypatch.setattr(torchmetrics_dists, "vgg16", lambda weights: backbone)
    network = torchmetrics_dists.DISTSNetwork().double()
    return lambda *sides: network(*(torch.from_numpy(side).double() / 255 for side in sides)).detach().numpy()


@pytest.mark.parametrize("sigma", [5, 25, 100])
@pytest.mark.parametrize("shape", [(17, 17), (64, 64), (45, 70)])
def test_it_is_the_distance_of_torchmetrics_with_these_weights(shape, sigma, peer):
    height, width = shape
    a = images(4, size=max(shape), channels=3)[..., :height, :width]
    b = noisy(a, sigma)
    expected = peer(a, b)
    assert (expected > 2e-4).all()
    np.testing.assert_allclose(values(a, b).per_sample, expected, rtol=0, atol=1e-5)


def test_the_learned_weights_are_those_of_the_authors():
    theirs = torch.load(torchmetrics_dists._PATH_WEIGHT_DISTS, weights_only=True)
    ours = load_file(LEARNED)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name].flatten())


def test_equal_images_are_at_0_and_the_sides_may_be_exchanged():
    np.testing.assert_array_equal(values(A, A).per_sample, 0.0)
    np.testing.assert_allclose(values(A, B).per_sample, values(B, A).per_sample, rtol=1e-6)


def test_uniform_images_differ_by_their_texture_alone():
    a, b = (np.full((1, 3, 32, 32), level, np.uint8) for level in (50, 200))
    assert 0 < values(a, b).value < 1


def test_another_sample_of_a_texture_is_nearer_than_pixels_say():
    noise = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 64), np.uint8)
    one, other = noise[:1], noise[1:]
    flat = np.full_like(one, 128)
    assert np.square(one.astype(float) - other).mean() > np.square(one.astype(float) - flat).mean()
    assert values(one, other).value < values(one, flat).value


def test_gray_is_colour_of_equal_channels():
    gray = [side[:, :1] for side in (A, B)]
    np.testing.assert_array_equal(
        values(*gray).per_sample, values(*(side.repeat(3, axis=1) for side in gray)).per_sample
    )


def test_what_it_cannot_do_is_said():
    small = images(2, size=16)
    with pytest.raises(Skipped, match="at least 17x17, has 16x16; use ssim"):
        values(small, small)
    with pytest.raises(Failed, match="one or three channels, found 2"):
        values(A[:, :2], B[:, :2])
    with pytest.raises(Failed, match="must have one shape, found 5x3x64x64 and 5x3x32x32"):
        values(A, B[..., :32, :32])


def test_without_weights_it_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(tmp_path))
    with pytest.raises(Unavailable, match="evalsuite weights fetch vgg16"):
        values()
