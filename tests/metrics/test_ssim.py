import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure

from evalsuite.errors import Skipped
from evalsuite.metrics.ssim import Ssim
from tests.metrics.inputs import images, noisy, pair_inputs


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (11, 1)])
def test_agrees_with_scikit_image(size, channels):
    a = images(8, size, channels)
    b = noisy(a, 25)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    expected = [structural_similarity(x, y, channel_axis=0, **options) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(Ssim().compute(pair_inputs(a, b))[""].per_sample, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [28, 64])
def test_agrees_with_torchmetrics_but_for_the_windows_over_the_border(size):
    """Which torchmetrics fills by reflection, and counts."""
    a = images(4, size, 3)
    b = noisy(a, 25)
    tensors = (torch.from_numpy(side).double() for side in (a, b))
    _, everywhere = structural_similarity_index_measure(*tensors, data_range=255.0, return_full_image=True)
    expected = everywhere[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))
    np.testing.assert_allclose(Ssim().compute(pair_inputs(a, b))[""].per_sample, expected, atol=1e-7)


def test_symmetric_and_negative_for_the_inverse():
    a = images()
    b = noisy(a, 40)
    np.testing.assert_allclose(
        Ssim().compute(pair_inputs(a, b))[""].per_sample, Ssim().compute(pair_inputs(b, a))[""].per_sample, rtol=1e-12
    )
    assert Ssim().compute(pair_inputs(a, 255 - a))[""].value < 0


def test_images_below_the_window_are_skipped():
    with pytest.raises(Skipped, match="at least 11x11, has 10x10"):
        Ssim().compute(pair_inputs(images(size=10), images(size=10)))
