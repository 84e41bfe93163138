"""Whether the images of timed calls are those that were scored: what is fast must be what is good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1
"""Steps of 255 by which two values that are nearly equal can be rounded apart."""

REDUCED_TOLERANCE = 4.0
"""Mean difference of an image, in steps of 255, that reduced precision may make between batch sizes: it rounds
otherwise in another batch, and sampling enlarges that. The bundled models show up to 0.2, and two images of a class at
least 9."""


@dataclass(frozen=True)
class Scored:
    """The samples that quality was measured on.

    Attributes:
        images: of some sample ids (increasing), uint8 ``[N, C, H, W]``.
        count: how many there are: those of the ids 0 to ``count`` - 1.
        tolerance: largest difference of a pixel between batch sizes, before rounding, that the adapter states.
        reduced: whether the target computes in reduced precision, or in compiled code, which the adapter's tolerance
            does not speak of.
    """

    images: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    count: int
    tolerance: float
    reduced: bool

    def mismatch(self, sample_ids: NDArray[np.int64], images: NDArray[np.uint8]) -> str:
        """Which timed image is not the scored one, and by how much; "" where all that can be compared agree."""
        known = sample_ids < self.count
        if not known.any():
            return ""
        ids, timed, scored = sample_ids[known], images[known], self.images(sample_ids[known])
        if timed.shape != scored.shape:
            return f"timed images are uint8 {list(timed.shape[1:])}, the scored ones {list(scored.shape[1:])}"
        differences = np.abs(timed.astype(np.int16) - scored).reshape(len(ids), -1)
        found = differences.mean(axis=1) if self.reduced else differences.max(axis=1)
        allowed = REDUCED_TOLERANCE if self.reduced else self.tolerance + (ROUNDING if self.tolerance else 0)
        worst = int(np.argmax(found))
        if found[worst] <= allowed:
            return ""
        what = "on average" if self.reduced else "in a pixel"
        return (
            f"timed outputs are not the scored ones: sample {ids[worst]} differs by {found[worst]:g} of 255 {what}, "
            f"and at most {allowed:g} is valid"
        )
