"""Dataset ``low-resolution``: the images of another dataset at a lower resolution, to be restored by a model."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import AfterValidator, Field

from evalsuite import plugins
from evalsuite.datasets.contract import Dataset
from evalsuite.errors import Failed
from evalsuite.files import content_key
from evalsuite.settings import Settings

VERSION = 1
"""Of the degradation; part of the fingerprint."""


def _readable(of: str) -> str:
    plugins.accepted("datasets", of)
    return of


class LowResolution(Settings):
    """Blocks of pixels are averaged and rounded to 8 bits, then enlarged to their old size by bicubic filter.

    A restoration model gets these images, so that what it is measured against is what they were made from; bicubic
    enlargement alone is the model that returns its input.

    Attributes:
        of: the dataset with the images in full resolution, ``fashion-mnist`` or ``image-folder:path=/data/photos``.
        factor: height and width of a block, in pixels.
        first: how many images, from the dataset's first on; None for all.
    """

    licence: ClassVar[str] = "that of the dataset it is made from"
    source: ClassVar[str] = "made from another dataset"

    of: Annotated[str, AfterValidator(_readable)]
    factor: int = Field(default=4, ge=2, le=64)
    first: int | None = Field(default=None, ge=1)

    @cached_property
    def _full(self) -> Dataset:
        full: Dataset = plugins.make("datasets", self.of)
        return full

    def fingerprint(self) -> str:
        """SHA-256 of the full images' content and of how they are degraded."""
        return content_key(["low-resolution", VERSION, self._full.fingerprint(), self.factor, self.size()])

    def size(self) -> int:
        return min(self.first or self._full.size(), self._full.size())

    def class_names(self) -> tuple[str, ...]:
        return self._full.class_names()

    def labels(self) -> NDArray[np.int64] | None:
        """int64 ``[size]``, or None."""
        labels = self._full.labels()
        return None if labels is None else labels[: self.size()]

    def images(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]``, as large as the ground truth.

        Raises:
            Failed: height or width is no multiple of ``factor``.
        """
        return degraded(self.truth(ids), self.factor)

    def truth(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]``: the images in full resolution.

        Raises:
            Unavailable, Failed: the dataset they come from cannot be read.
        """
        return self._full.images(ids)


def degraded(images: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Averaged over blocks, rounded half to even, and enlarged by Pillow's bicubic filter.

    Args:
        images: uint8 ``[N, C, H, W]``.
        factor: height and width of a block.

    Returns:
        uint8 ``[N, C, H, W]``.

    Raises:
        Failed: ``H`` or ``W`` is no multiple of ``factor``.
    """
    count, channels, height, width = images.shape
    if height % factor or width % factor:
        raise Failed(f"low-resolution: found images of {height}x{width} pixels, expected multiples of factor {factor}")
    blocks = images.reshape(count * channels, height // factor, factor, width // factor, factor)
    small = np.rint(blocks.mean(axis=(2, 4))).astype(np.uint8)
    enlarged = np.empty((count * channels, height, width), np.uint8)
    for row, plane in enumerate(small):
        enlarged[row] = Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC)
    return enlarged.reshape(images.shape)
