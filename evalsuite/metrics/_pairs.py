"""What metrics of image pairs share: images as numbers, some at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evalsuite.errors import Failed
from evalsuite.metrics._features import Floats, require
from evalsuite.metrics.contract import PairInputs

DATA_RANGE = 255.0
CHUNK = 2**17
"""Values of one side in memory at once, so that they stay in the processor's cache; images may be memory-mapped."""


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
