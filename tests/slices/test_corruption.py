import io
import pickle

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from evalsuite.datasets.fashion_mnist import FashionMnist
from evalsuite.errors import Failed
from evalsuite.models.contract import Batch
from evalsuite.slices._corruption import Setting
from evalsuite.slices._weather import clouds, veins
from evalsuite.slices.corruption import CORRUPTIONS, FAMILIES, Corrupted, Corruption, corrupted

IDS = np.arange(4)
GREY = FashionMnist().images(IDS)
ramp = np.linspace(0, 255, 40 * 64).reshape(40, 64).astype(np.uint8)
COLOUR = np.stack([ramp, ramp[::-1], 255 - ramp])


def change(name, severity, image=GREY[0], seed=0):
    return corrupted(image, name, severity, np.random.default_rng(seed))


def harm(name, severity):
    """Mean absolute difference over some images."""
    return np.mean([abs(change(name, severity, x, i).astype(float) - x).mean() for i, x in enumerate((*GREY, COLOUR))])


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("severity", [1, 5])
@pytest.mark.parametrize(
    "image", [GREY[0], COLOUR, np.zeros((1, 28, 28), np.uint8), np.full((3, 28, 9), 255, np.uint8)]
)
def test_images_of_any_size_keep_shape_and_type(name, severity, image):
    found = change(name, severity, image)
    assert (found.shape, found.dtype) == (image.shape, np.uint8)
    assert np.array_equal(found, change(name, severity, image))


# Not so where shear gives way to stretching, in the published constants: pixels move less and lose more.
@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name != "elastic_transform"])
def test_the_highest_severity_harms_most(name):
    assert 0 < harm(name, 1) < harm(name, 5)


@pytest.mark.parametrize("name", ["gaussian_noise", "motion_blur", "snow", "frost", "fog", "glass_blur"])
def test_a_sample_is_corrupted_by_its_own_seed_whatever_the_batch(name):
    batch = Batch(IDS, IDS + 100, images=np.repeat(GREY[:1], 4, axis=0))
    found = pickle.loads(pickle.dumps(Corrupted(name=name, severity=3))).apply(batch)
    alone = Corrupted(name=name, severity=3).apply(Batch(IDS[2:3], IDS[2:3] + 100, images=GREY[:1]))
    assert np.array_equal(found.images[2], alone.images[0])
    assert not np.array_equal(found.images[1], found.images[2])
    assert np.array_equal(found.seeds, batch.seeds)


def test_constants_of_small_and_of_large_images():
    def choose(side):
        setting = Setting(2, side, np.random.default_rng())
        return setting.choose("abcde", "ABCDE"), setting.scale

    assert choose(32) == ("b", 1.0)
    assert choose(224) == ("B", 1.0)
    assert choose(28) == ("b", 28 / 32)
    assert choose(84)[0] == "b" and choose(85)[0] == "B"


FLAT = np.full((1, 64, 64), 128, np.uint8)


def test_noise_has_the_strength_it_says():
    grain = change("gaussian_noise", 5, FLAT) / 255
    assert grain.std() == pytest.approx(0.10, rel=0.05)
    photons = change("shot_noise", 5, FLAT) / 255
    assert photons.std() == pytest.approx(np.sqrt(128 / 255 / 50), rel=0.05)
    assert (change("impulse_noise", 5, FLAT) != 128).mean() == pytest.approx(0.07, abs=0.01)


@pytest.mark.parametrize(
    "name", ["defocus_blur", "motion_blur", "zoom_blur", "glass_blur", "elastic_transform", "pixelate"]
)
def test_what_moves_pixels_leaves_an_even_image_alone(name):
    assert abs(change(name, 5, FLAT).astype(int) - 128).max() <= 1


def test_contrast_and_brightness_are_their_formulas():
    assert np.array_equal(change("contrast", 1), np.rint(GREY[0].mean() + 0.75 * (GREY[0] - GREY[0].mean())))
    brighter = change("brightness", 2, COLOUR)
    inside = COLOUR.max(axis=0) < 229
    raised = brighter.max(axis=0).astype(int) - COLOUR.max(axis=0)
    assert set(raised[inside]) <= {25, 26}
    hue = brighter[0][inside] / brighter[2][inside].clip(1) - COLOUR[0][inside] / COLOUR[2][inside].clip(1)
    assert abs(hue).max() < 0.2


def test_jpeg_is_what_pillow_saves():
    packed = io.BytesIO()
    Image.fromarray(GREY[0][0]).save(packed, format="JPEG", quality=50)
    assert np.array_equal(change("jpeg_compression", 4)[0], np.asarray(Image.open(packed)))


def test_motion_blur_goes_along_one_line():
    point = np.zeros((1, 63, 63), np.uint8)
    point[0, 31, 31] = 255
    rows, columns = np.nonzero(change("motion_blur", 3, point)[0])
    weights = np.polyfit(columns, rows, 1)
    assert abs(np.polyval(weights, columns) - rows).max() < 1.5
    assert np.ptp(columns) > 4


def test_clouds_fill_their_range_at_any_size():
    for size in (1, 7, 28):
        found = clouds(size, 2.0, np.random.default_rng(0))
        assert found.shape == (size, size)
        assert found.min() == 0 and found.max() == (size > 1)


def test_frost_is_bright_in_veins_and_leaves_most_of_the_pane():
    for size in (28, 224):
        found = veins(size, np.random.default_rng(0))
        assert found.min() >= 0 and found.max() > 0.9
        assert (found > 0.5).mean() < 0.5


def test_names_families_and_severities_make_slices():
    ids = [case.id for case in Corruption(names=["fog", "noise", "fog"], severity=[1, 3]).expand()]
    assert ids == [
        f"corruption.{name}={severity}"
        for name in ("fog", "gaussian_noise", "shot_noise", "impulse_noise")
        for severity in (1, 3)
    ]
    every = Corruption(names=list(FAMILIES)).expand()
    assert len(every) == 5 * len(CORRUPTIONS) == 75
    assert {(case.needs, case.unchanged) for case in every} == {(("image",), 0)}
    assert len({case.change.key() for case in every}) == 75


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ["foog"]}, "no corruption 'foog'; did you mean 'fog'?"),
        ({"names": ["fog"], "severity": [6]}, "less than or equal to 5"),
        ({"names": []}, "at least 1 item"),
    ],
)
def test_what_there_is_not_is_refused(settings, message):
    with pytest.raises(ValidationError) as caught:
        Corruption(**settings)
    assert message in str(caught.value)


def test_images_of_other_channels_cannot_be_corrupted():
    with pytest.raises(Failed, match="found 2 channels"):
        Corrupted(name="fog", severity=1).apply(Batch(IDS, IDS, images=np.zeros((4, 2, 8, 8), np.uint8)))
    with pytest.raises(Failed, match="found none"):
        Corrupted(name="fog", severity=1).apply(Batch(IDS, IDS))
