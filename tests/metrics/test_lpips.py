"""LPIPS with random backbones in the published layout, against the package's own way."""

from __future__ import annotations

import warnings

import lpips
import numpy as np
import pytest
import torch

from evalsuite import weights
from evalsuite.errors import Failed, Skipped, Unavailable
from evalsuite.metrics.lpips import BACKBONES, Lpips
from tests.metrics.inputs import images, noisy, pair_inputs

A = images(5, size=64, channels=3)
B = noisy(A, 25)


def values(a=A, b=B, network="alex"):
    return Lpips(network=network).compute(pair_inputs(a, b))[""]


@pytest.mark.parametrize("network", BACKBONES)
def test_it_is_the_packages_distance_with_these_weights(network):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net=network, pnet_rand=True, verbose=False).eval()
    state = weights.load(weights.find(BACKBONES[network]))
    for layers in theirs.net.children():
        for position, layer in layers.named_children():
            layer.load_state_dict({n: state[f"features.{position}.{n}"] for n, _ in layer.named_parameters()})
    with torch.inference_mode():
        expected = theirs(*(torch.from_numpy(side.astype(np.float32)) / 127.5 - 1 for side in (A, B))).ravel()
    found = values(network=network)
    np.testing.assert_allclose(found.per_sample, expected, rtol=1e-5)
    assert (found.per_sample > 0).all()


def test_gray_is_colour_of_equal_channels():
    gray = [side[:, :1] for side in (A, B)]
    np.testing.assert_array_equal(
        values(*gray).per_sample, values(*(side.repeat(3, axis=1) for side in gray)).per_sample
    )


def test_what_it_cannot_do_is_said():
    small = images(2, size=28)
    with pytest.raises(Skipped, match="at least 32x32, has 28x28; use ssim"):
        values(small, small)
    with pytest.raises(Failed, match="one or three channels, found 2"):
        values(A[:, :2], B[:, :2])


def test_without_weights_it_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(tmp_path))
    with pytest.raises(Unavailable, match="evalsuite weights fetch alexnet"):
        values()
