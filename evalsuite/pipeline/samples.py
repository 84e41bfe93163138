"""Generated images as they lie in the store: in chunks of fixed boundaries, read when they are needed."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed, StoreError
from evalsuite.files import content_key
from evalsuite.store import Store

ROOM = "samples"
MOST_BYTES_IN_MEMORY = 1 << 30


@dataclass(frozen=True)
class Span:
    """Samples ``start`` to ``stop`` (excluded) of one case: what one chunk holds and one call generates."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def key(self, samples_key: str) -> str:
        """The chunk's key in the store."""
        return f"{samples_key}/{self.start}-{self.stop}"


def spans(num_samples: int, size: int) -> list[Span]:
    """Boundaries that depend on the chunk size alone, so that more samples later leave whole chunks as they are."""
    return [Span(start, min(start + size, num_samples)) for start in range(0, num_samples, size)]


@dataclass(frozen=True)
class Chunk:
    """A chunk that is in the store, and the SHA-256 of its content."""

    key: str
    span: Span
    digest: str


@dataclass(frozen=True)
class SampleSet:
    """All generated images of one case.

    Attributes:
        store: where they are.
        samples_key: of the case.
        chunks: in the order of the samples.
    """

    store: Store
    samples_key: str
    chunks: tuple[Chunk, ...]

    @property
    def content(self) -> str:
        """SHA-256 over the images themselves."""
        return content_key([chunk.digest for chunk in self.chunks])

    def images(self, sample_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """These samples (increasing ids), uint8 ``[N, C, H, W]``; only the chunks that hold them are read.

        Raises:
            Failed: a chunk was lost or damaged since it was generated.
        """
        images: NDArray[np.uint8] | None = None
        for rows, part in self._parts(sample_ids):
            if images is None:
                images = empty_images((len(sample_ids), *part.shape[1:]), self.store.root)
            images[rows] = part
        return np.empty((0, 0, 0, 0), np.uint8) if images is None else images

    def _parts(self, sample_ids: NDArray[np.int64]) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        for chunk in self.chunks:
            low, high = np.searchsorted(sample_ids, [chunk.span.start, chunk.span.stop])
            if low < high:
                part = read_images(self.store, chunk.key)[sample_ids[low:high] - chunk.span.start]
                yield slice(low, high), part


def empty_images(shape: tuple[int, ...], folder: Path) -> NDArray[np.uint8]:
    """Memory for so many images; on disk in this folder, and gone with the array, where they are large.

    Raises:
        StoreError: the folder cannot be written.
    """
    if math.prod(shape) <= MOST_BYTES_IN_MEMORY:
        return np.empty(shape, np.uint8)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            return np.memmap(file, np.uint8, "w+", shape=shape)
    except OSError as error:
        raise StoreError(f"{folder}: no room for images of {math.prod(shape)} bytes: {error.strerror}") from error


def read_images(store: Store, key: str) -> NDArray[np.uint8]:
    """The images of one chunk, uint8 ``[B, C, H, W]``.

    Raises:
        Failed: it was lost or damaged since it was generated.
    """
    arrays = store.read(ROOM, key)
    if arrays is None:
        raise Failed(f"generated samples {key} were lost from the cache while the run used them; run again")
    images: NDArray[np.uint8] = arrays["images"]
    return images
