"""``pixels``: the pixels themselves, averaged down; an extractor without weights, for any image and any machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.features.contract import Extracted, LoadedExtractor
from evalsuite.files import content_key
from evalsuite.settings import Settings

GRID = 7


class Pixels(Settings):
    """49 features: the mean brightness of each cell of a 7x7 grid. Sees large shapes, no detail."""

    dim: ClassVar[int] = GRID**2
    preprocessing: ClassVar[str] = "area mean to 7x7 grayscale, scaled to [0, 1]"

    def fingerprint(self) -> str:
        """Of the convention above; there are no weights."""
        return content_key(["pixels", self.preprocessing, 1])

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        yield _Loaded()


class _Loaded:
    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features float32 ``[B, 49]`` of uint8 images ``[B, C, H, W]``, no logits.

        Raises:
            Failed: height or width is below 7.
        """
        height, width = images.shape[2:]
        if min(height, width) < GRID:
            raise Failed(f"pixels takes images of at least {GRID}x{GRID}, found {height}x{width}")
        rows, columns = (np.arange(GRID) * size // GRID for size in (height, width))
        sums = np.add.reduceat(images.mean(axis=1, dtype=np.float64), rows, axis=1)
        sums = np.add.reduceat(sums, columns, axis=2)
        areas = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
        return Extracted((sums / areas / 255).reshape(len(images), -1).astype(np.float32), None)
