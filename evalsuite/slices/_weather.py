"""Corruptions by weather."""

from __future__ import annotations

import numpy as np

from evalsuite.slices._corruption import Corruption, Floats, Setting, streaks, zoomed


def fog(image: Floats, setting: Setting) -> Floats:
    """A cloudy brightness added, and the whole brought back to its range."""
    amount, decay = setting.choose(
        [(0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75)],
        [(1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)],
    )
    brightest = float(image.max())
    height, width = image.shape[1:]
    thick = amount * clouds(max(height, width), decay, setting.random)[:height, :width]
    return (image + thick) * brightest / (brightest + amount)


def clouds(size: int, decay: float, random: np.random.Generator) -> Floats:
    """A plasma fractal: random grids, each twice as fine and ``decay`` times fainter than the one before.

    Returns:
        float64 ``[size, size]`` from 0 to 1.
    """
    from scipy.ndimage import map_coordinates

    total = np.zeros((size, size))
    for octave in range(int(np.ceil(np.log2(size))) + 1):
        cells = 2**octave
        grid = random.uniform(-1, 1, size=(cells + 1, cells + 1))
        at = np.linspace(0, cells, size)
        total += map_coordinates(grid, np.meshgrid(at, at, indexing="ij"), order=1) / decay**octave
    lowest, highest = total.min(), total.max()
    return np.zeros_like(total) if highest == lowest else (total - lowest) / (highest - lowest)


def snow(image: Floats, setting: Setting) -> Floats:
    """Streaks of flakes over a paler image."""
    mean, deviation, zoom, least, radius, sigma, kept = setting.choose(
        [
            (0.1, 0.2, 1.0, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1.0, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ],
        [
            (0.1, 0.3, 3.0, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2.0, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4.0, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ],
    )
    flakes = zoomed(mean + deviation * setting.random.normal(size=(1, *image.shape[1:])), zoom * max(1, setting.scale))
    flakes = np.where(flakes < least, 0.0, np.clip(flakes, 0, 1))
    falling = streaks(flakes, radius * setting.scale, sigma * setting.scale, setting.random.uniform(-135, -45))
    grey = image.mean(axis=0, keepdims=True)
    pale = kept * image + (1 - kept) * np.maximum(image, 1.5 * grey + 0.5)
    result: Floats = pale + falling + falling[:, ::-1, ::-1]
    return result


def frost(image: Floats, setting: Setting) -> Floats:
    """Veins of ice over a darker image; drawn, where ImageNet-C has five photographs of frozen panes."""
    kept, ice = setting.choose(
        [(1.0, 0.2), (1.0, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)],
        [(1.0, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)],
    )
    height, width = image.shape[1:]
    grown = [veins(max(height, width), setting.random) for _ in range(3)]
    result: Floats = kept * image + ice * np.max(grown, axis=0)[:height, :width]
    return result


def veins(size: int, random: np.random.Generator) -> Floats:
    """The ridges of a plasma fractal, where it passes its middle: thin, branching, brightest along their line.

    Returns:
        float64 ``[size, size]`` from 0 to 1.
    """
    ridges: Floats = (1 - abs(2 * clouds(size, 1.6, random) - 1)) ** 3
    return ridges


def brightness(image: Floats, setting: Setting) -> Floats:
    """The brightest channel of each pixel raised, hue and saturation kept."""
    more = setting.choose([0.05, 0.1, 0.15, 0.2, 0.3], [0.1, 0.2, 0.3, 0.4, 0.5])
    value = image.max(axis=0, keepdims=True)
    raised = np.minimum(value + more, 1.0)
    brighter: Floats = np.where(value > 0, image * raised / np.maximum(value, 1e-12), raised)
    return brighter


WEATHER: dict[str, Corruption] = {"snow": snow, "frost": frost, "fog": fog, "brightness": brightness}
