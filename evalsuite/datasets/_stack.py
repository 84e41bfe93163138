"""Images of one shape as one array."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed

Pixels = NDArray[np.uint8]
Named = tuple[str, Pixels]
"""An image, and what messages call it."""


def stack(place: Path, first: Named, images: Iterable[tuple[int, Named]], count: int) -> Pixels:
    """Put images into their rows, one by one.

    Args:
        place: of the dataset, for messages.
        first: the dataset's first image, whose shape all must have.
        images: each with its row in the result; every row once.
        count: of rows.

    Returns:
        uint8 ``[count, C, H, W]``.

    Raises:
        Failed: an image has another shape than the first.
    """
    first_name, pattern = first
    stacked = np.empty((count, *pattern.shape), np.uint8)
    for row, (name, image) in images:
        if image.shape != pattern.shape:
            wanted, found = ("x".join(map(str, shape)) for shape in (pattern.shape, image.shape))
            raise Failed(
                f"{place}: images must have one shape; {first_name} has {wanted} (channels, height, width), "
                f"{name} has {found}; resize them beforehand"
            )
        stacked[row] = image
    return stacked
