"""What every metric of image pairs checks first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.contract import PairInputs


def checked_pairs(inputs: PairInputs) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both sides, uint8 ``[N, C, H, W]``.

    Raises:
        Failed: they differ in number or size.
        Skipped: there are none.
    """
    a, b = inputs.a, inputs.b
    if a.shape != b.shape:
        raise Failed(f"pairs of unequal shape: {tuple(a.shape)} against {tuple(b.shape)}")
    if len(a) == 0:
        raise Skipped("there are no pairs of images")
    return a, b
