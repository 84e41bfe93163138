"""Corruptions by blur."""

from __future__ import annotations

import numpy as np

from evalsuite.slices._corruption import Corruption, Floats, Setting, convolved, streaks, zoomed


def defocus_blur(image: Floats, setting: Setting) -> Floats:
    """A disk in place of each point, as of a lens out of focus."""
    from scipy.ndimage import gaussian_filter

    radius, softness = setting.choose(
        [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)],
        [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)],
    )
    radius, softness = radius * setting.scale, softness * setting.scale
    reach = int(np.ceil(radius + 3 * softness)) + 1
    grid = np.arange(-reach, reach + 1)
    # Pixels that the edge goes through count in part, since disks of small images are smaller than two pixels.
    disk = np.clip(radius + 0.5 - np.hypot(grid[:, None], grid), 0, 1)
    return convolved(image, gaussian_filter(disk, softness))


def glass_blur(image: Floats, setting: Setting) -> Floats:
    """Pixels displaced at random to near places, as behind frosted glass; all at once, where ImageNet-C swaps pairs."""
    from scipy.ndimage import gaussian_filter

    sigma, reach, times = setting.choose(
        [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)],
        [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)],
    )
    deviation = (0, sigma * setting.scale, sigma * setting.scale)
    farthest = max(1, round(reach * setting.scale))
    result = gaussian_filter(image, deviation)
    height, width = image.shape[1:]
    rows, columns = np.indices((height, width))
    for _ in range(times):
        down, right = setting.random.integers(-farthest, farthest, size=(2, height, width))
        y = np.clip(rows + down, 0, height - 1)
        x = np.clip(columns + right, 0, width - 1)
        result = result[:, y, x]
    blurred: Floats = gaussian_filter(result, deviation)
    return blurred


def motion_blur(image: Floats, setting: Setting) -> Floats:
    """Streaks in one direction, as of a camera that moved."""
    radius, sigma = setting.choose(
        [(6, 1.0), (6, 1.5), (6, 2.0), (8, 2.0), (9, 2.5)], [(10, 3.0), (15, 5.0), (15, 8.0), (15, 12.0), (20, 15.0)]
    )
    angle = setting.random.uniform(-45, 45)
    return streaks(image, radius * setting.scale, sigma * setting.scale, angle)


def zoom_blur(image: Floats, setting: Setting) -> Floats:
    """The image and its enlargements in one, as of a camera that moved towards its object."""
    most, step = setting.choose(
        [(1.05, 0.01), (1.10, 0.01), (1.15, 0.01), (1.20, 0.01), (1.25, 0.01)],
        [(1.10, 0.01), (1.15, 0.01), (1.20, 0.02), (1.24, 0.02), (1.30, 0.03)],
    )
    factors = np.arange(1, most + step / 2, step)
    layers = [image, *(zoomed(image, float(factor)) for factor in factors)]
    mean: Floats = np.mean(layers, axis=0)
    return mean


BLUR: dict[str, Corruption] = {
    "defocus_blur": defocus_blur,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
}
