"""``spectrum``: how much power an image has at each spatial frequency; an extractor without weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.features.contract import Extracted, LoadedExtractor
from evalsuite.files import content_key
from evalsuite.settings import Settings

BINS = 14
LEAST_SIZE = 2 * BINS
"""Below this, some rings would hold no frequency of the image."""

QUANTISATION_NOISE = 1 / (12 * 255**2)
"""Variance of rounding to 256 levels, in [0, 1]: what power density below it is no signal."""

Floats = NDArray[np.float64]


class Spectrum(Settings):
    """14 features: the power density in rings of equal width up to half a cycle per pixel, in dB.

    Brightness, averaged over channels and scaled to [0, 1], under a Hann window that keeps the borders out; the mean is
    taken off. 0 dB is white noise of variance 1. Blur lowers the outer rings, noise and ringing raise them.
    """

    dim: ClassVar[int] = BINS
    preprocessing: ClassVar[str] = "mean over channels, scaled to [0, 1], Hann window"

    def fingerprint(self) -> str:
        """Of the convention above; there are no weights."""
        return content_key(["spectrum", self.preprocessing, BINS, QUANTISATION_NOISE, 1])

    @contextmanager
    def open(self) -> Iterator[LoadedExtractor]:
        yield _Loaded()


class _Loaded:
    def extract(self, images: NDArray[np.uint8]) -> Extracted:
        """Features float32 ``[B, 14]`` of uint8 images ``[B, C, H, W]``, no logits.

        Raises:
            Failed: height or width is below 28.
        """
        height, width = images.shape[2:]
        if min(height, width) < LEAST_SIZE:
            raise Failed(f"spectrum takes images of at least {LEAST_SIZE}x{LEAST_SIZE}, found {height}x{width}")
        brightness = images.mean(axis=1, dtype=np.float64) / 255
        window = np.outer(np.hanning(height + 1)[:-1], np.hanning(width + 1)[:-1])
        mean = (brightness * window).sum(axis=(1, 2), keepdims=True) / window.sum()
        power = np.abs(np.fft.fft2((brightness - mean) * window)) ** 2 / (window**2).sum()
        density = power.reshape(len(images), -1) @ _rings(height, width)
        return Extracted((10 * np.log10(density + QUANTISATION_NOISE)).astype(np.float32), None)


@cache
def _rings(height: int, width: int) -> Floats:
    """Weights ``[H * W, 14]`` of each frequency in the mean over each ring; corners beyond the last are left out."""
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)).ravel()
    ring = np.rint(radius * LEAST_SIZE).astype(int)
    inside = (ring[:, None] == np.arange(1, BINS + 1)).astype(np.float64)
    weights: Floats = inside / inside.sum(axis=0)
    return weights
