"""What corruptions share: severity, constants for small and large images, and randomness.

The constants of ImageNet-C (Hendrycks and Dietterich 2019, arXiv:1903.12261) are meant for 224 px and those of
CIFAR-10-C, by the same authors, for 32 px. The nearer of the two tables is taken, and lengths in it grow in proportion
to the image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Constants = TypeVar("Constants")

SMALL, LARGE = 32, 224
SEVERITIES = 5


class Setting(NamedTuple):
    """One corruption of one image.

    Attributes:
        severity: 1 to 5.
        side: the shorter side of the image, in pixels.
        random: the sample's own; the same at every severity, so that an image only gets worse.
    """

    severity: int
    side: int
    random: np.random.Generator

    @property
    def is_small(self) -> bool:
        """Whether the image is nearer to CIFAR-10-C's, by ratio."""
        return self.side**2 < SMALL * LARGE

    @property
    def scale(self) -> float:
        """Factor of lengths in the table."""
        return self.side / (SMALL if self.is_small else LARGE)

    def choose(self, small: Sequence[Constants], large: Sequence[Constants]) -> Constants:
        """The constants of this severity, from CIFAR-10-C's or from ImageNet-C's five."""
        return (small if self.is_small else large)[self.severity - 1]


Corruption = Callable[[Floats, Setting], Floats]
"""From an image float64 ``[C, H, W]`` in [0, 1] to another of this shape, not yet clipped."""


def convolved(image: Floats, kernel: Floats) -> Floats:
    """Each channel with a kernel of odd height and width, mirrored at the edges."""
    from scipy.signal import fftconvolve

    height, width = (size // 2 for size in kernel.shape)
    padded = np.pad(image, ((0, 0), (height, height), (width, width)), mode="symmetric")
    result: Floats = fftconvolve(padded, (kernel / kernel.sum())[None], mode="valid", axes=(1, 2))
    return result


def streaks(image: Floats, radius: float, sigma: float, angle: float) -> Floats:
    """Motion blur: an average along a line from each pixel, weighted by half a Gaussian.

    Args:
        radius: length of the line in pixels.
        sigma: of the Gaussian, in pixels.
        angle: in degrees.
    """
    reach = max(1, round(radius))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for step in range(reach + 1):
        y, x = reach + step * np.sin(np.radians(angle)), reach + step * np.cos(np.radians(angle))
        rows, columns = (np.array([int(at), min(int(at) + 1, 2 * reach)]) for at in (y, x))
        shares = np.outer([1 - y % 1, y % 1], [1 - x % 1, x % 1])
        np.add.at(kernel, np.ix_(rows, columns), shares * np.exp(-(step**2) / (2 * sigma**2)))
    return convolved(image, kernel)


def zoomed(image: Floats, factor: float) -> Floats:
    """The middle of the image, enlarged to its size."""
    from PIL import Image

    height, width = image.shape[1:]
    left, top = (width - width / factor) / 2, (height - height / factor) / 2
    box = (left, top, width - left, height - top)
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in image]
    resized = [plane.resize((width, height), Image.Resampling.BILINEAR, box=box) for plane in planes]
    return np.stack([np.asarray(plane, np.float64) for plane in resized])
