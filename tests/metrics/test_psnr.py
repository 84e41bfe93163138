import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.psnr import CAP_DB, Psnr
from tests.metrics.inputs import images, noisy, pair_inputs


@pytest.mark.parametrize("channels", [1, 3])
def test_agrees_with_scikit_image(channels):
    a = images(8, channels=channels)
    b = noisy(a, 12)
    expected = [peak_signal_noise_ratio(x, y, data_range=255) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(Psnr().compute(pair_inputs(a, b))[""].per_sample, expected, rtol=1e-12)


def test_by_hand():
    black = np.zeros((1, 1, 4, 4), np.uint8)
    assert Psnr().compute(pair_inputs(black, black + 255))[""].value == pytest.approx(0)
    assert Psnr().compute(pair_inputs(black, black + 51))[""].value == pytest.approx(20 * np.log10(5))


def test_equal_images_are_capped_and_counted():
    a = images(4)
    b = a.copy()
    b[0] = noisy(a[:1], 5)[0]
    estimate = Psnr().compute(pair_inputs(a, b))[""]
    assert estimate.per_sample[1:].tolist() == [CAP_DB] * 3
    assert estimate.per_sample[0] < CAP_DB
    assert "3 of 4 pairs" in estimate.warning


def test_many_pairs_pass_in_chunks():
    a = images(600, size=32)
    b = noisy(a, 9)
    whole = Psnr().compute(pair_inputs(a, b))[""].per_sample
    assert whole[431] == Psnr().compute(pair_inputs(a[431:432], b[431:432]))[""].value


def test_other_shapes_fail_and_no_pairs_are_skipped():
    with pytest.raises(Failed, match="6x1x28x28 and 6x1x32x32"):
        Psnr().compute(pair_inputs(images(), images(size=32)))
    with pytest.raises(Skipped, match="pairs"):
        Psnr().compute(pair_inputs(images(0), images(0)))
