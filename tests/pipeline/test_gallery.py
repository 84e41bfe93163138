"""Which samples the gallery keeps, and how small their pictures are."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from evalsuite.pipeline.gallery import MAX_DRAWN, MAX_SIDE, draw, nearest, pack
from evalsuite.records import Family, FeatureSet, Measurement


def features(rows: list[list[float]]) -> FeatureSet:
    return FeatureSet("pixels", "f", "none", np.arange(len(rows)), np.array(rows, np.float32))


def test_as_many_samples_of_each_class_are_drawn() -> None:
    ids = draw(np.arange(1000), 10, seed=3)
    assert len(ids) == 20
    assert np.bincount(ids % 10).tolist() == [2] * 10
    assert ids.tolist() == sorted(ids.tolist())


def test_the_seed_decides_the_draw() -> None:
    ids = np.arange(1000)
    assert draw(ids, 10, 0).tolist() == draw(ids, 10, 0).tolist()
    assert draw(ids, 10, 0).tolist() != draw(ids, 10, 1).tolist()


@pytest.mark.parametrize(("samples", "classes", "count"), [(1000, 0, MAX_DRAWN), (1000, 500, MAX_DRAWN), (7, 10, 7)])
def test_what_has_no_whole_rounds_of_classes_is_drawn_all_the_same(samples: int, classes: int, count: int) -> None:
    assert len(set(draw(np.arange(samples), classes, 0).tolist())) == count


def test_the_nearest_row_has_the_least_distance() -> None:
    reference = features([[0, 0], [3, 0], [0, 5]])
    assert nearest(features([[0.2, 0.1], [2, 0.5], [-1, 4]]), reference).tolist() == [0, 1, 2]


def test_small_pictures_are_kept_pixel_by_pixel() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    suffix, content = pack(image)
    assert suffix == ".png"
    with Image.open(BytesIO(content)) as picture:
        assert np.array_equal(np.asarray(picture).transpose(2, 0, 1), image)


def test_large_pictures_become_thumbnails() -> None:
    suffix, content = pack(np.full((1, 600, 300), 90, np.uint8))
    with Image.open(BytesIO(content)) as picture:
        assert (suffix, picture.format, max(picture.size)) == (".webp", "WEBP", MAX_SIDE)


def measurement(**changes: object) -> Measurement:
    fields = {
        "name": "psnr", "metric": "psnr", "case_key": "s@cpu/all", "model": "s", "role": "student", "target": "cpu",
        "slice": "all", "against": "t@cpu/all", "value": 1.0, "higher_is_better": True, "family": Family.MEAN, "n": 3,
        "sample_ids": np.array([4, 6, 9]), "per_sample": np.array([20.0, 10.0, 15.0]),
    }  # fmt: skip
    return Measurement.model_validate(fields | changes)


def test_the_worst_samples_have_the_worst_values_or_the_highest_influence() -> None:
    assert measurement().worst_samples(2).tolist() == [6, 9]
    assert measurement(higher_is_better=False).worst_samples(2).tolist() == [4, 9]
    influence = np.array([0.1, 0.3, -0.4], np.float32)
    assert measurement(against="reference", per_sample=None, influence=influence).worst_samples(1).tolist() == [6]


@pytest.mark.parametrize(
    "changes",
    [{"sample_ids": None}, {"per_sample": None}, {"higher_is_better": None}, {"against": "reference"},
     {"per_sample": np.array([1.0])}],
)  # fmt: skip
def test_where_single_samples_are_not_known_none_is_the_worst(changes: dict[str, object]) -> None:
    assert measurement(**changes).worst_samples(2).tolist() == []
