"""Corruptions by noise, one value a pixel and channel."""

from __future__ import annotations

import numpy as np

from evalsuite.slices._corruption import Corruption, Floats, Setting


def gaussian_noise(image: Floats, setting: Setting) -> Floats:
    """Normal noise, as of too little light."""
    deviation = setting.choose([0.04, 0.06, 0.08, 0.09, 0.10], [0.08, 0.12, 0.18, 0.26, 0.38])
    return image + deviation * setting.random.normal(size=image.shape)


def shot_noise(image: Floats, setting: Setting) -> Floats:
    """Poisson noise of single photons."""
    photons = setting.choose([500, 250, 100, 75, 50], [60, 25, 12, 5, 3])
    return setting.random.poisson(image * photons) / photons


def impulse_noise(image: Floats, setting: Setting) -> Floats:
    """Some values black or white."""
    share = setting.choose([0.01, 0.02, 0.03, 0.05, 0.07], [0.03, 0.06, 0.09, 0.17, 0.27])
    hit, white = setting.random.uniform(size=(2, *image.shape))
    return np.where(hit < share, (white < 0.5).astype(np.float64), image)


NOISE: dict[str, Corruption] = {
    "gaussian_noise": gaussian_noise,
    "shot_noise": shot_noise,
    "impulse_noise": impulse_noise,
}
