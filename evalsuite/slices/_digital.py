"""Corruptions of digital images: contrast, distortion, resolution and compression."""

from __future__ import annotations

import io

import numpy as np

from evalsuite.slices._corruption import Corruption, Floats, Setting


def contrast(image: Floats, setting: Setting) -> Floats:
    """Each channel drawn towards its mean."""
    share = setting.choose([0.75, 0.5, 0.4, 0.3, 0.15], [0.4, 0.3, 0.2, 0.1, 0.05])
    mean = image.mean(axis=(1, 2), keepdims=True)
    drawn: Floats = mean + share * (image - mean)
    return drawn


def elastic_transform(image: Floats, setting: Setting) -> Floats:
    """Sheared, and stretched at random from place to place. The constants are shares of the shorter side."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    strength, smoothness, shear = setting.choose(
        [(0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)],
        [(2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)],
    )
    grid = np.indices(image.shape[1:]).astype(np.float64)
    third = setting.side / 3
    corners = np.array(image.shape[1:]) / 2 + np.array([[third, third], [third, -third], [-third, -third]])
    moved = corners + setting.side * shear * setting.random.uniform(-1, 1, size=corners.shape)
    affine = np.linalg.solve(np.column_stack([corners, np.ones(3)]), moved)
    places = np.tensordot(affine[:2].T, grid, axes=1) + affine[2][:, None, None]
    pushes = setting.random.uniform(-1, 1, size=grid.shape)
    if strength:
        spread = smoothness * setting.side
        places += setting.side * strength * gaussian_filter(pushes, (0, spread, spread), mode="reflect", truncate=3)
    return np.stack([map_coordinates(plane, places, order=1, mode="reflect") for plane in image])


def pixelate(image: Floats, setting: Setting) -> Floats:
    """Made smaller, and enlarged again without smoothing."""
    from PIL import Image

    share = setting.choose([0.95, 0.9, 0.85, 0.75, 0.65], [0.6, 0.5, 0.4, 0.3, 0.25])
    height, width = image.shape[1:]
    smaller = max(1, int(width * share)), max(1, int(height * share))
    planes = [Image.fromarray(plane.astype(np.float32)).resize(smaller, Image.Resampling.BOX) for plane in image]
    enlarged = [plane.resize((width, height), Image.Resampling.BOX) for plane in planes]
    return np.stack([np.asarray(plane, np.float64) for plane in enlarged])


def jpeg_compression(image: Floats, setting: Setting) -> Floats:
    """Saved as JPEG of low quality."""
    from PIL import Image

    quality = setting.choose([80, 65, 58, 50, 40], [25, 18, 15, 10, 7])
    pixels = np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
    packed = io.BytesIO()
    whole = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    whole.save(packed, format="JPEG", quality=quality)
    opened = np.asarray(Image.open(packed, formats=["JPEG"]), np.float64) / 255
    return opened[None] if opened.ndim == 2 else opened.transpose(2, 0, 1)


DIGITAL: dict[str, Corruption] = {
    "contrast": contrast,
    "elastic_transform": elastic_transform,
    "pixelate": pixelate,
    "jpeg_compression": jpeg_compression,
}
