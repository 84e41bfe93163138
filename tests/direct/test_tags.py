"""Kinds of images: folders, classes, clusters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evalsuite.direct.sources import read
from evalsuite.direct.tags import k_means, tags_of
from evalsuite.errors import UsageError
from evalsuite.records import FeatureSet
from tests.direct.files import pictures, save_folder


def features(rows: np.ndarray, logits: np.ndarray | None = None) -> FeatureSet:
    return FeatureSet("small", "", "", np.arange(len(rows)), rows.astype(np.float32), logits)


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def blobs(sizes: tuple[int, ...]) -> np.ndarray:
    """Points around 0, 10, 20, ..."""
    centres = np.repeat(10.0 * np.arange(len(sizes)), sizes)
    return centres[:, None] + random().normal(0, 0.5, (len(centres), 2))


def test_folders(tmp_path: Path) -> None:
    for side, kinds in (("a", ("cat", "dog")), ("b", ("cat", "fox"))):
        for kind in kinds:
            save_folder(tmp_path / side / kind, pictures(2))
    given = [read(tmp_path / side, side) for side in "ab"]
    for by in ("auto", "folder"):
        names, tags = tags_of(by, given, [features(np.zeros((4, 1)))] * 2, 2, random())
        assert [names[tag] for tag in tags] == ["cat", "cat", "dog", "dog", "cat", "cat", "fox", "fox"]
    with pytest.raises(UsageError, match="without a folder of their own"):
        tags_of("folder", [given[0], read(tmp_path / "b" / "cat", "b")], [features(np.zeros((4, 1)))] * 2, 2, random())


def test_classes() -> None:
    sides = [features(np.zeros((2, 1)), np.array([[0.0, 1.0], [2.0, 0.0]])), features(np.zeros((1, 1)), np.eye(2)[:1])]
    names, tags = tags_of("class", [read(blobs((2,)), "a")] * 2, sides, 2, random())
    assert [names[tag] for tag in tags] == ["class 1", "class 0", "class 0"]
    with pytest.raises(UsageError, match="small gives no class scores"):
        tags_of("class", [read(blobs((2,)), "a")] * 2, [sides[0], features(np.zeros((1, 1)))], 2, random())


def test_clusters_are_named_by_an_image_of_the_reference(tmp_path: Path) -> None:
    rows = blobs((20, 20, 20))
    first, second = rows[:40], rows[40:]
    given = [read(first, "a"), read(save_folder(tmp_path / "b", pictures(20)), "b")]
    names, tags = tags_of("auto", given, [features(first), features(second)], 3, random())
    assert sorted(len(set(tags[part : part + 20])) for part in (0, 20, 40)) == [1, 1, 1]
    of_reference, of_current = {names[tags[0]], names[tags[20]]}, names[tags[40]]
    assert all(name.startswith("like sample ") for name in of_reference)
    assert of_current.removeprefix("like ") in given[1].names


def test_k_means_finds_what_is_apart() -> None:
    tags, distances = k_means(blobs((5, 9, 30)), 3, random())
    assert sorted(np.bincount(tags)) == [5, 9, 30]
    assert distances.max() < 10
    assert all(len(set(part)) == 1 for part in np.split(tags, [5, 14]))


def test_fewer_points_than_clusters() -> None:
    tags, distances = k_means(np.repeat([[0.0], [1.0]], 4, axis=0), 5, random())
    assert sorted(np.bincount(tags)) == [4, 4]
    assert distances.tolist() == [0.0] * 8
