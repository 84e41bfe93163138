"""Which reference belongs to which generated sample, and the images of both as arrays."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.direct.images import Images, pixel_digest, repeated
from evalsuite.direct.sources import Given
from evalsuite.errors import Skipped
from evalsuite.pipeline.samples import empty_images
from evalsuite.records import Moments

BATCH = 64


class Stack(NamedTuple):
    """Images uint8 ``[N, C, H, W]``, on disk where they are large, and the SHA-256 of them in this order."""

    images: NDArray[np.uint8]
    fingerprint: str


def partners(generated: Given, reference: Given | None) -> NDArray[np.int64]:
    """Position in the reference of each generated sample's pair, int64 ``[N]``.

    Files belong together by their paths without endings, arrays (and a folder with an array) by position.

    Raises:
        Skipped: they cannot be paired; says why.
    """
    if reference is None or isinstance(generated, Moments) or isinstance(reference, Moments):
        raise Skipped("needs a reference sample for each generated one")
    mine, theirs = (side.names if isinstance(side, Images) else None for side in (generated, reference))
    if mine is None or theirs is None:
        sizes = [len(side) if isinstance(side, Images) else len(side.features) for side in (generated, reference)]
        if sizes[0] != sizes[1]:
            raise Skipped(f"pairs by position need equal numbers, found {sizes[0]} generated and {sizes[1]} reference")
        return np.arange(sizes[0], dtype=np.int64)
    for names in (mine, theirs):
        if double := repeated(names):
            raise Skipped(f"pairs by name need each name once, found two files {double}")
    places = {name: place for place, name in enumerate(theirs)}
    alone = [name for name in mine if name not in places]
    if alone:
        raise Skipped(
            f"pairs by name need a reference image for each generated one; {len(alone)} of {len(mine)} have none, "
            f"first {alone[0]}"
        )
    return np.array([places[name] for name in mine], np.int64)


def stacked(images: Images, positions: NDArray[np.int64], folder: Path) -> Stack:
    """The images of these positions, which must have one size.

    Args:
        images: where they come from.
        positions: int64 ``[N]``.
        folder: for the array, where it is too large for the memory.

    Raises:
        Skipped: two images differ in size or colours; names them.
        UsageError: an image cannot be read.
    """
    digest = hashlib.sha256()
    whole: NDArray[np.uint8] | None = None
    row = 0
    for batch in images.batches(positions.tolist(), BATCH):
        for image in batch:
            if whole is None:
                whole = empty_images((len(positions), *image.shape), folder)
            if image.shape != whole.shape[1:]:
                raise Skipped(_unlike(images, positions, row, whole.shape[1:], image.shape))
            whole[row] = image
            digest.update(pixel_digest(image))
            row += 1
    assert whole is not None
    return Stack(whole, digest.hexdigest())


def _unlike(
    images: Images, positions: NDArray[np.int64], row: int, first: tuple[int, ...], other: tuple[int, ...]
) -> str:
    def described(position: int, shape: tuple[int, ...]) -> str:
        name = f"image {position}" if images.names is None else images.names[position]
        return f"{name} has {shape[2]}x{shape[1]} pixels of {'one channel' if shape[0] == 1 else '3 channels'}"

    here, there = described(int(positions[0]), first), described(int(positions[row]), other)
    return f"images are compared pixel by pixel and must have one size: {here}, {there}; convert them beforehand"
