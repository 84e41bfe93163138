"""Images and features on disk, in every form that is read."""

import io
import zipfile

import numpy as np
from PIL import Image


def pictures(n=40, size=12, channels=3, seed=0):
    """Random smooth images, uint8 ``[n, size, size, channels]``."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (n, size // 4, size // 4, channels), np.uint8)
    return coarse.repeat(4, axis=1).repeat(4, axis=2)


def clouds(n=300, dim=5, shift=0.0, seed=0):
    """Normal features, float64 ``[n, dim]``."""
    return np.random.default_rng(seed).normal(size=(n, dim)) + shift


def encoded(image, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(np.squeeze(image)).save(buffer, kind)
    return buffer.getvalue()


def save_folder(folder, images, pattern="{:04d}.png"):
    for i, image in enumerate(images):
        path = folder / pattern.format(i)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(image))
    return folder


def save_zip(path, images, pattern="{:04d}.png"):
    with zipfile.ZipFile(path, "w") as archive:
        for i, image in enumerate(images):
            archive.writestr(pattern.format(i), encoded(image))
    return path
