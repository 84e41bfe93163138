"""Peak signal-to-noise ratio of each image against its pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._features import Floats
from evalsuite.metrics._pairs import DATA_RANGE, per_pair
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

CAP_DB = 100.0
"""In place of infinity for equal images; a single grey level of one pixel in 28x28 makes 77 dB."""


class Psnr(Settings):
    """Mean over images of 10 log10(255^2 / MSE), in dB; at most 100 dB, which stands for equal images.

    Between a student and its teacher it tells whether the same seed gives the same image, not which image is better.
    """

    unit: ClassVar[str] = "dB"
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = "Huynh-Thu and Ghanbari 2008, Scope of validity of PSNR in image/video quality assessment"

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each image's. The warning counts equal pairs.

        Raises:
            Skipped: there are no pairs.
            Failed: the two sides have different shapes.
        """
        values = per_pair(inputs, psnr)
        capped = int((values >= CAP_DB).sum())
        warning = f"{capped} of {len(values)} pairs are equal, or almost, and count as {CAP_DB:g} dB"
        return {
            "": Estimate(
                value=float(values.mean()),
                family=Family.MEAN,
                n=len(values),
                per_sample=values,
                protocol={"estimator": "mean over images", "data_range": DATA_RANGE, "cap_db": CAP_DB},
                warning=warning if capped else "",
            )
        }


def psnr(a: Floats, b: Floats) -> Floats:
    """PSNR of each pair in dB, float64 ``[B]``, of images ``[B, C, H, W]`` in [0, 255]; capped."""
    error = ((a - b) ** 2).mean(axis=(1, 2, 3))
    floor = DATA_RANGE**2 / 10 ** (CAP_DB / 10)
    values: Floats = 10 * np.log10(DATA_RANGE**2 / np.maximum(error, floor))
    return values
