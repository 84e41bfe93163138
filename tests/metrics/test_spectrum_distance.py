import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from evalsuite.datasets.fashion_mnist import FashionMnist
from evalsuite.features.fashion_cnn import FashionCnn
from evalsuite.features.spectrum import Spectrum
from evalsuite.metrics.spectrum_distance import SpectrumDistance
from evalsuite.stats.single import interval_of
from tests.metrics.inputs import feature_inputs


def distance(generated, reference):
    with Spectrum().open() as extractor:
        sides = [extractor.extract(images).features for images in (generated, reference)]
    return SpectrumDistance().compute(feature_inputs(*sides))[""]


@pytest.fixture(scope="module")
def real():
    return FashionMnist().images(np.arange(2000))


def blurred(images, sigma):
    return gaussian_filter(images.astype(float), sigma, axes=(2, 3)).round().astype(np.uint8)


def test_a_shift_of_all_rings_is_its_size():
    reference = np.random.default_rng(0).normal(size=(50, 14))
    found = SpectrumDistance().compute(feature_inputs(reference[:40] * 0 + reference.mean(axis=0) + 3, reference))[""]
    assert found.value == pytest.approx(3, rel=1e-6)
    np.testing.assert_allclose(found.replicates, 3, rtol=1e-6)


def test_the_more_blur_the_farther_from_real_images(real):
    values = [distance(blurred(real[:1000], sigma), real[1000:]).value for sigma in (0, 0.4, 0.6, 1.0)]
    assert values == sorted(values)
    assert values[0] < 0.5 < values[1]


def test_a_blur_that_a_classifier_forgives_is_far_outside_the_interval(real):
    labels = FashionMnist().labels()[:1000]
    sharp, soft = real[:1000], blurred(real[:1000], 0.4)
    with FashionCnn().open() as classifier:
        found = [(classifier.extract(images).logits.argmax(axis=1) == labels) for images in (sharp, soft)]
    sharp_accuracy, soft_accuracy = (right.mean() for right in found)
    assert soft_accuracy > sharp_accuracy - 0.01
    near, far = (interval_of(distance(images, real[1000:])) for images in (sharp, soft))
    assert near.high < far.low


def test_noise_is_seen_as_well(real):
    noisy = real[:1000] + np.random.default_rng(0).normal(0, 20, (1000, 1, 28, 28))
    assert distance(noisy.clip(0, 255).astype(np.uint8), real[1000:]).value > 1


def test_the_jackknife_knows_how_much_the_value_varies(real):
    one = blurred(real, 0.5)
    values = [distance(one[k::10], real).value for k in range(10)]
    found = distance(one[::10], real)
    spread = np.sqrt(19 / 20 * ((found.replicates - found.replicates.mean()) ** 2).sum())
    assert spread == pytest.approx(np.std(values, ddof=1), rel=0.8)
