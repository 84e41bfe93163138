"""Pairs by brute force, and the scale that makes the number readable: the truth is one more draw from the posterior."""

import numpy as np
import pytest

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import ImageInputs
from evalsuite.metrics.posterior_diversity import PosteriorDiversity
from evalsuite.metrics.psnr import Psnr
from tests.metrics.inputs import pair_inputs

RNG = np.random.default_rng(0)
STARTED_FROM = np.arange(30) % 10
IMAGES = RNG.integers(0, 256, (30, 3, 6, 5), dtype=np.uint8)


def found(images, started_from):
    ids = np.arange(len(images))
    return PosteriorDiversity().compute(ImageInputs(ids, images, started_from=started_from))[""]


def test_it_is_the_mean_over_pairs_of_one_input():
    scaled = IMAGES / 255
    expected = [
        np.mean([((scaled[i] - scaled[j]) ** 2).mean() for j in range(30) if j != i and j % 10 == i % 10])
        for i in range(30)
    ]
    estimate = found(IMAGES, STARTED_FROM)
    np.testing.assert_allclose(estimate.per_sample, expected, rtol=1e-12)
    assert estimate.value == pytest.approx(np.mean(expected), rel=1e-12)


def test_inputs_themselves_may_differ():
    shifts = (np.arange(10) * 10).astype(np.uint8)[STARTED_FROM][:, None, None, None]
    dark = IMAGES // 4
    assert found(dark + shifts, STARTED_FROM).value == pytest.approx(found(dark, STARTED_FROM).value, rel=1e-12)


def test_a_model_without_noise_has_none():
    assert found(IMAGES[STARTED_FROM], STARTED_FROM).value == 0


def test_draws_from_the_posterior_are_as_far_apart_as_from_the_truth():
    """A posterior of independent pixels around a mean; the truth is drawn from it too."""
    means = RNG.integers(60, 190, (400, 1, 8, 8))
    truth, *draws = (np.rint(means + RNG.normal(0, 15, means.shape)).astype(np.uint8) for _ in range(4))
    images, started_from = np.concatenate(draws), np.tile(np.arange(400), 3)
    error = np.mean((images / 255 - np.tile(truth, (3, 1, 1, 1)) / 255) ** 2)
    assert found(images, started_from).value == pytest.approx(error, rel=0.03)
    collapsed = np.tile(means.astype(np.uint8), (3, 1, 1, 1))
    assert found(collapsed, started_from).value == 0
    repeated = np.tile(truth, (3, 1, 1, 1))
    psnr = [Psnr().compute(pair_inputs(restored, repeated))[""].value for restored in (collapsed, images)]
    assert psnr[0] - psnr[1] == pytest.approx(10 * np.log10(2), abs=0.1)


@pytest.mark.parametrize(
    ("started_from", "message"),
    [(None, "start from images"), (np.arange(30), "at least 2 samples of each input.*has 1")],
)
def test_without_several_samples_of_an_input_there_is_none(started_from, message):
    with pytest.raises(Skipped, match=message):
        found(IMAGES, started_from)
