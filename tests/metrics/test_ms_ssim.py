import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from evalsuite.errors import Skipped
from evalsuite.metrics.ms_ssim import WEIGHTS, MsSsim, halved
from tests.metrics.inputs import images, noisy, pair_inputs


def values(a, b):
    return MsSsim().compute(pair_inputs(a, b))[""]


@pytest.fixture(scope="module")
def pairs():
    pictures = images(3, size=177)
    return pictures, np.stack([noisy(picture, sigma) for picture, sigma in zip(pictures, (5, 20, 60), strict=True)])


def test_it_is_near_torchmetrics_which_counts_windows_over_the_border_of_the_coarsest_scale(pairs):
    a, b = (torch.from_numpy(side).double() for side in pairs)
    theirs = multiscale_structural_similarity_index_measure(a, b, data_range=255.0, reduction="none")
    np.testing.assert_allclose(values(*pairs).per_sample, theirs, atol=2e-3)


def test_the_coarsest_scale_is_the_ssim_of_scikit_image(pairs):
    """Where all finer scales are alike, the coarsest decides: a shift of the mean leaves contrast and structure."""
    a = pairs[0][:1].clip(0, 200)
    b = a + 40
    coarse = [side.astype(float) for side in (a, b)]
    for _ in WEIGHTS[1:]:
        coarse = [halved(side) for side in coarse]
    expected = structural_similarity(
        *(side[0, 0] for side in coarse), gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert values(a, b).value == pytest.approx(expected ** WEIGHTS[-1], rel=1e-9)


def test_weights_of_the_scales_are_shares():
    assert sum(WEIGHTS) == pytest.approx(1, abs=2e-4)


def test_opposite_images_have_none():
    picture = images(1, size=176)
    assert values(picture, 255 - picture).value == 0


def test_images_that_are_too_small_are_skipped():
    with pytest.raises(Skipped, match="at least 176x176, has 175x190; use ssim"):
        values(np.zeros((1, 1, 175, 190), np.uint8), np.zeros((1, 1, 175, 190), np.uint8))
