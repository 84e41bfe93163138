"""Structural similarity of each image with its pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scipy.ndimage import gaussian_filter

from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats
from evalsuite.metrics._pairs import DATA_RANGE, per_pair
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

WINDOW = 11
BORDER = WINDOW // 2
SIGMA = 1.5
K1, K2 = 0.01, 0.03


class Ssim(Settings):
    """Mean over images of SSIM with the paper's 11x11 Gaussian window of sigma 1.5; from -1 to 1, 1 for equal images.

    Windows that reach over the border are left out, so a 28 px image has 18 x 18 of them; channels are averaged.
    Between a student and its teacher it tells whether the same seed gives the same image, not which image is better.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = "Wang et al. 2004, Image Quality Assessment: From Error Visibility to Structural Similarity"

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each image's.

        Raises:
            Skipped: there are no pairs, or they are below 11x11.
            Failed: the two sides have different shapes.
        """
        height, width = inputs.a.shape[2:]
        if min(height, width) < WINDOW:
            raise Skipped(f"needs images of at least {WINDOW}x{WINDOW}, has {height}x{width}")
        values = per_pair(inputs, ssim)
        return {
            "": Estimate(
                value=float(values.mean()),
                family=Family.MEAN,
                n=len(values),
                per_sample=values,
                protocol={
                    "estimator": "mean over images",
                    "window": f"gaussian {WINDOW}x{WINDOW}, sigma {SIGMA}",
                    "data_range": DATA_RANGE,
                    "k1": K1,
                    "k2": K2,
                },
            )
        }


def ssim(a: Floats, b: Floats) -> Floats:
    """SSIM of each pair (Wang et al., eq. 13), float64 ``[B]``, of float64 ``[B, C, H, W]`` in [0, 255]."""
    luminance, structure = components(a, b)
    values: Floats = (luminance * structure).mean(axis=(1, 2, 3))
    return values


def components(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Luminance (Wang et al., eq. 6) and contrast times structure (eqs. 9 and 10 together) of each window inside.

    Args:
        a, b: float64 ``[B, C, H, W]`` in [0, 255], at least 11x11.

    Returns:
        two float64 ``[B, C, H - 10, W - 10]``.
    """
    mean_a, mean_b = _window(a), _window(b)
    variance_a, variance_b = _window(a * a) - mean_a**2, _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    c1, c2 = (K1 * DATA_RANGE) ** 2, (K2 * DATA_RANGE) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure = (2 * covariance + c2) / (variance_a + variance_b + c2)
    inside = (..., slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    return luminance[inside], structure[inside]


def _window(images: Floats) -> Floats:
    """Means under the Gaussian window about each pixel."""
    means: Floats = gaussian_filter(images, SIGMA, radius=BORDER, axes=(2, 3))
    return means
