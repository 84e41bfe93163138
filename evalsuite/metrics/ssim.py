"""Metric ``ssim``: structural similarity of image pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from evalsuite.errors import Skipped
from evalsuite.metrics._pairs import checked_pairs
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

Floats = NDArray[np.float64]

SIGMA = 1.5
RADIUS = 5
WINDOW = 2 * RADIUS + 1
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
BLOCK = 256


class Ssim(Settings):
    """Mean over images of the mean SSIM index with a Gaussian window of 11 pixels (sigma 1.5); [-1, 1], higher is better.

    Data range 255; population moments; windows that reach over the border are left out; channels are averaged. Against
    the teacher it measures fidelity, not quality.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = "Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity"

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        a, b = checked_pairs(inputs)
        if min(a.shape[-2:]) < WINDOW:
            raise Skipped(f"images of {a.shape[-2]}x{a.shape[-1]} are smaller than its window of {WINDOW} pixels")
        parts = [ssim(a[i : i + BLOCK], b[i : i + BLOCK]) for i in range(0, len(a), BLOCK)]
        values = np.concatenate(parts)
        protocol = {"data_range": 255, "window": f"gaussian {WINDOW}, sigma {SIGMA:g}", "border": "left out"}
        return {"": Estimate(float(values.mean()), Family.MEAN, len(values), per_sample=values, protocol=protocol)}


def ssim(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Floats:
    """SSIM of each pair (Wang et al., eq. 13), float64 ``[N]``, of uint8 ``[N, C, H, W]``."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y = _window(x), _window(y)
    variance_x, variance_y = _window(x * x) - mean_x**2, _window(y * y) - mean_y**2
    covariance = _window(x * y) - mean_x * mean_y
    numerator = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    index = numerator / ((mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2))
    inner: Floats = index[..., RADIUS:-RADIUS, RADIUS:-RADIUS].mean(axis=(1, 2, 3))
    return inner


def _window(images: Floats) -> Floats:
    filtered: Floats = gaussian_filter(images, SIGMA, radius=RADIUS, axes=(2, 3), mode="reflect")
    return filtered
