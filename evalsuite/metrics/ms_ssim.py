"""Structural similarity of each image with its pair, at five scales at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats
from evalsuite.metrics._pairs import DATA_RANGE, per_pair
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.metrics.ssim import K1, K2, SIGMA, WINDOW, components
from evalsuite.records import Family
from evalsuite.settings import Settings

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales from fine to coarse (Wang et al. 2003, sec. 3.2)."""

LEAST_SIZE = WINDOW * 2 ** (len(WEIGHTS) - 1)
"""So that one window at least fits into the coarsest scale."""


class MsSsim(Settings):
    """Mean over images of multi-scale SSIM; 0 to 1, 1 for equal images. Forgives fine detail that SSIM insists on.

    Each scale is half as large as the one before, by the mean of 2x2 pixels; at all but the coarsest, contrast and
    structure alone count. Negative similarities count as 0, and channels are averaged at the end. Between a student and
    its teacher it tells whether the same seed gives the same image, not which image is better.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = "Wang et al. 2003, Multi-scale Structural Similarity for Image Quality Assessment"

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each image's.

        Raises:
            Skipped: there are no pairs, or they are below 176x176.
            Failed: the two sides have different shapes.
        """
        height, width = inputs.a.shape[2:]
        if min(height, width) < LEAST_SIZE:
            raise Skipped(f"needs images of at least {LEAST_SIZE}x{LEAST_SIZE}, has {height}x{width}; use ssim")
        values = per_pair(inputs, ms_ssim)
        return {
            "": Estimate(
                value=float(values.mean()),
                family=Family.MEAN,
                n=len(values),
                per_sample=values,
                protocol={
                    "estimator": "mean over images",
                    "window": f"gaussian {WINDOW}x{WINDOW}, sigma {SIGMA}",
                    "scales": len(WEIGHTS),
                    "data_range": DATA_RANGE,
                    "k1": K1,
                    "k2": K2,
                },
            )
        }


def ms_ssim(a: Floats, b: Floats) -> Floats:
    """MS-SSIM of each pair (Wang et al., eq. 7), float64 ``[B]``, of float64 ``[B, C, H, W]`` in [0, 255]."""
    found = np.ones(a.shape[:2])
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            a, b = halved(a), halved(b)
        luminance, structure = components(a, b)
        coarsest = scale == len(WEIGHTS) - 1
        similarity = (luminance * structure if coarsest else structure).mean(axis=(2, 3))
        found *= similarity.clip(min=0) ** weight
    values: Floats = found.mean(axis=1)
    return values


def halved(images: Floats) -> Floats:
    """Means of 2x2 pixels; an odd last row or column is left out."""
    height, width = (size // 2 for size in images.shape[2:])
    blocks = images[..., : 2 * height, : 2 * width].reshape(*images.shape[:2], height, 2, width, 2)
    means: Floats = blocks.mean(axis=(3, 5))
    return means
