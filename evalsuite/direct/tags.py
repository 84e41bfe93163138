"""What kind each image is of: the folder it lies in, the class a network sees, or its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.direct.images import Images
from evalsuite.direct.sources import Given
from evalsuite.errors import UsageError
from evalsuite.records import FeatureSet

Floats = NDArray[np.float64]

ROUNDS = 50
"""Of Lloyd's algorithm at most; clusters are a description, and need not be optimal."""

By = Literal["auto", "folder", "class", "cluster", "none"]


def tags_of(
    by: By, given: Sequence[Given], features: Sequence[FeatureSet], clusters: int, random: np.random.Generator
) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the tags, and the tag of each sample of both sides, one after the other, int64 ``[N]``.

    Args:
        by: where tags come from; ``auto`` is the folders where there are any, else clusters.
        given: both sides, as they were given.
        features: of both sides.
        clusters: how many.
        random: where clusters begin.

    Raises:
        UsageError: there are no folders, or no classes.
    """
    folders = [_folders(side) for side in given]
    if by == "folder" or (by == "auto" and all(folders)):
        if not all(folders):
            raise UsageError("--by folder: found images without a folder of their own, expected one for each kind")
        names, tags = np.unique([folder for of_side in folders for folder in of_side], return_inverse=True)
        return [str(name) for name in names], tags.astype(np.int64)
    if by == "class":
        return _classes(features)
    return _clusters(given, features, clusters, random)


def _folders(given: Given) -> list[str]:
    """The outermost folder of each image, below those that all share; none where one lies in no folder."""
    names = given.names if isinstance(given, Images) else None
    if names is None or not all("/" in name for name in names):
        return []
    return [name.partition("/")[0] for name in names]


def _classes(features: Sequence[FeatureSet]) -> tuple[list[str], NDArray[np.int64]]:
    logits = [side.logits for side in features]
    found = [side for side in logits if side is not None]
    if len(found) < len(logits):
        raise UsageError(
            f"--by class: the extractor {features[0].extractor} gives no class scores, expected one that classifies"
        )
    tags = np.concatenate(found).argmax(axis=1).astype(np.int64)
    return [f"class {number}" for number in range(found[0].shape[1])], tags


def _clusters(
    given: Sequence[Given], features: Sequence[FeatureSet], count: int, random: np.random.Generator
) -> tuple[list[str], NDArray[np.int64]]:
    """Clusters of both sides together, so that neither is favoured; a cluster is named by its most central image, that
    of the reference where it has one there."""
    rows = np.concatenate([side.features for side in features]).astype(np.float64)
    tags, distances = k_means(rows, count, random)
    first = len(features[0].features)
    names = []
    for tag in range(int(tags.max()) + 1):
        own = np.flatnonzero(tags == tag)
        preferred = own[own < first] if (own < first).any() else own
        names.append(f"like {_name(given, int(preferred[distances[preferred].argmin()]), first)}")
    return names, tags


def k_means(rows: Floats, count: int, random: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
    """Lloyd's algorithm from centres by k-means++ (Arthur and Vassilvitskii 2007).

    Args:
        rows: float64 ``[N, D]``.
        count: clusters; fewer come out where rows are equal.
        random: draws the first centres.

    Returns:
        Tag of each row, int64 ``[N]``, none of them empty; and its squared distance from the centre, float64 ``[N]``.
    """
    centres = rows[random.integers(len(rows))][None]
    for _ in range(count - 1):
        nearest = _squared_distances(rows, centres).min(axis=1)
        if nearest.sum() <= 0:
            break
        centres = np.vstack([centres, rows[random.choice(len(rows), p=nearest / nearest.sum())]])
    tags = _squared_distances(rows, centres).argmin(axis=1)
    for _ in range(ROUNDS):
        kept = np.unique(tags)
        centres = np.stack([rows[tags == tag].mean(axis=0) for tag in kept])
        before, tags = tags, _squared_distances(rows, centres).argmin(axis=1)
        if np.array_equal(before, tags):
            break
    _, tags = np.unique(tags, return_inverse=True)
    centres = np.stack([rows[tags == tag].mean(axis=0) for tag in range(int(tags.max()) + 1)])
    return tags.astype(np.int64), ((rows - centres[tags]) ** 2).sum(axis=1)


def _squared_distances(rows: Floats, centres: Floats) -> Floats:
    """float64 ``[N, K]``, not below 0."""
    distances: Floats = (rows**2).sum(axis=1)[:, None] - 2 * rows @ centres.T + (centres**2).sum(axis=1)
    return np.maximum(distances, 0.0)


def _name(given: Sequence[Given], row: int, first: int) -> str:
    side, position = (given[0], row) if row < first else (given[1], row - first)
    names = side.names if isinstance(side, Images) else None
    return f"sample {position}" if names is None else names[position]
