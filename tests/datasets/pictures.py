"""Pictures in two classes, as an image folder has them; other kinds of files are compared with it."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from evalsuite.datasets.image_folder import ImageFolder

NAMES = ("cat", "dog")


def pictures(count: int, channels: int = 3, height: int = 6, width: int = 5, seed: int = 0) -> NDArray[np.uint8]:
    """uint8 ``[count, C, H, W]``."""
    return np.random.default_rng(seed).integers(0, 256, (count, channels, height, width), np.uint8)


def encoded(image: NDArray[np.uint8], kind: str = "PNG", **options: object) -> bytes:
    """The content of a file, of an image ``[C, H, W]``."""
    buffer = io.BytesIO()
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def transparent() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (5, 6), (1, 2, 3, 100)).save(buffer, "PNG")
    return buffer.getvalue()


def image_folder(folder: Path, images: NDArray[np.uint8]) -> ImageFolder:
    """The first half of the images are cats."""
    for i, image in enumerate(images):
        path = folder / NAMES[2 * i // len(images)] / f"{i:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(image))
    return ImageFolder(path=folder)


def labels(count: int) -> list[int]:
    """Of the images in the folder."""
    return [2 * i // count for i in range(count)]


def peak_bytes(work: Callable[[], object]) -> int:
    """Most memory that Python and Arrow took while it ran, beyond what they took before."""
    usual, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    POOLS.append(pool)
    gc.collect()
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] + pool.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)


POOLS: list[pa.MemoryPool] = []
"""Kept, since what was allocated in a pool may outlive the measurement, and a pool must outlive that."""
