"""What metrics of image pairs share: images as numbers, some at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics._features import Floats, require
from evalsuite.metrics.contract import PairInputs

DATA_RANGE = 255.0
CHUNK = 2**17
"""Values of one side in memory at once, so that they stay in the processor's cache; images may be memory-mapped."""


def require_pictures(inputs: PairInputs, metric: str, least_size: int) -> None:
    """Check that a network for colour pictures can look at the pairs.

    Raises:
        Skipped: they are smaller than ``least_size`` pixels on a side.
        Failed: they have another number of channels than one or three.
    """
    channels, height, width = inputs.a.shape[1:]
    if min(height, width) < least_size:
        raise Skipped(f"needs images of at least {least_size}x{least_size}, has {height}x{width}; use ssim")
    if channels not in (1, 3):
        raise Failed(f"{metric} takes images of one or three channels, found {channels}")


def per_pair(inputs: PairInputs, score: Callable[[Floats, Floats], Floats]) -> Floats:
    """The score of each pair, float64 ``[N]``.

    Args:
        inputs: the pairs.
        score: from two float64 ``[B, C, H, W]`` in [0, 255] to float64 ``[B]``.

    Raises:
        Skipped: there are no pairs.
        Failed: the images of the two sides differ in number or shape.
    """
    if inputs.a.shape != inputs.b.shape:
        shapes = " and ".join("x".join(map(str, images.shape)) for images in (inputs.a, inputs.b))
        raise Failed(f"images are compared pixel by pixel and must have one shape, found {shapes}")
    require(len(inputs.a), 1, "pairs of images")
    size = max(1, CHUNK // inputs.a[0].size)
    chunks = [slice(start, start + size) for start in range(0, len(inputs.a), size)]
    return np.concatenate([score(inputs.a[c].astype(np.float64), inputs.b[c].astype(np.float64)) for c in chunks])
