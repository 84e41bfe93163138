import numpy as np
import pytest

from evalsuite.errors import Failed
from evalsuite.features.spectrum import BINS, Spectrum


def spectra(images):
    with Spectrum().open() as extractor:
        return extractor.extract(np.asarray(images, np.uint8)).features


@pytest.mark.parametrize("shape", [(28, 28), (64, 48), (129, 200)])
def test_white_noise_has_its_variance_at_every_frequency_and_any_size(shape):
    noise = 128 + 25.5 * np.random.default_rng(0).normal(size=(60, 1, *shape))
    found = 10 ** (spectra(noise.round()) / 10)
    # In the smallest images the first ring borders on the mean, which is taken off.
    np.testing.assert_allclose(found.mean(axis=0)[1:], 0.01, rtol=0.25)


@pytest.mark.parametrize("ring", [3, 9, 14])
def test_a_wave_is_found_in_the_ring_of_its_frequency(ring):
    wave = 127.5 + 100 * np.cos(2 * np.pi * ring / 28 * np.arange(84))
    images = np.broadcast_to(wave.round(), (1, 1, 84, 84))
    assert int(spectra(images)[0].argmax()) == ring - 1
    assert int(spectra(images.swapaxes(2, 3))[0].argmax()) == ring - 1


def test_a_uniform_image_has_nothing_but_the_rounding():
    found = spectra(np.full((2, 3, 28, 28), 77))
    np.testing.assert_allclose(found, -10 * np.log10(12 * 255**2), rtol=1e-5)
    assert found.shape == (2, BINS)


def test_features_do_not_depend_on_the_batch():
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 40), np.uint8)
    np.testing.assert_allclose(
        spectra(images), np.concatenate([spectra(images[i : i + 1]) for i in range(6)]), rtol=1e-6
    )


def test_images_that_are_too_small_are_refused():
    with pytest.raises(Failed, match="at least 28x28, found 28x27"):
        spectra(np.zeros((1, 1, 28, 27)))
