"""Images that are there already, one at a time: files in a folder, files in a zip archive, rows of an array."""

from __future__ import annotations

import hashlib
import os
import zipfile
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed, UsageError
from evalsuite.imaging import FORMATS, is_image, read_image

UNREAD_FORMATS = frozenset({".gif", ".apng", ".avif", ".heic", ".heif", ".jp2", ".jxl", ".ppm", ".pgm"})
"""Endings of images that are not read; leaving such files out would change the number of images without a word."""

MAX_FILE_BYTES = 1 << 29
"""Of one image file in an archive, unpacked: more than the largest image that is read needs."""

READERS = min(8, os.cpu_count() or 1)
BATCHES_AHEAD = 2


class Images(ABC):
    """Images by position; they are read when they are needed, and may differ in size.

    Attributes:
        names: tells which images of two sources belong together; None where the position tells.
    """

    names: tuple[str, ...] | None = None

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def digest(self, position: int) -> bytes:
        """SHA-256 of what the image is stored as; of unequal images it differs.

        Raises:
            UsageError: the image cannot be read.
        """

    @abstractmethod
    def read(self, position: int) -> NDArray[np.uint8]:
        """One image, uint8 ``[C, H, W]`` with C 1 or 3.

        Raises:
            UsageError: it cannot be read; names it.
        """

    def batches(self, positions: Sequence[int], size: int) -> Iterator[list[NDArray[np.uint8]]]:
        """Images of these positions, ``size`` at a time, decoded while those before are worked on.

        Raises:
            UsageError: one of them cannot be read.
        """
        with ThreadPoolExecutor(READERS) as pool:
            ahead: deque[list[Future[NDArray[np.uint8]]]] = deque()
            for start in range(0, len(positions), size):
                ahead.append([pool.submit(self.read, position) for position in positions[start : start + size]])
                if len(ahead) > BATCHES_AHEAD:
                    yield [image.result() for image in ahead.popleft()]
            while ahead:
                yield [image.result() for image in ahead.popleft()]


class ArrayImages(Images):
    """Rows of an array, uint8 ``[N, C, H, W]``; may be memory-mapped."""

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def digest(self, position: int) -> bytes:
        return pixel_digest(self.read(position))

    def read(self, position: int) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self.array[position])


class _ImageFiles(Images):
    """Image files in the order of their paths, wherever they are kept."""

    def __init__(self, place: Path, paths: Sequence[str]) -> None:
        self.place = place
        self.paths = _visible_images(place, paths)
        self.names = _names(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    @abstractmethod
    def _content(self, path: str) -> bytes:
        """Of one file; raises whatever it meets where the file cannot be read."""

    def digest(self, position: int) -> bytes:
        return hashlib.sha256(self._bytes(position)).digest()

    def read(self, position: int) -> NDArray[np.uint8]:
        try:
            return read_image(self._bytes(position), self.paths[position])
        except Failed as error:
            raise UsageError(f"{self.place}: {error}") from error

    def _bytes(self, position: int) -> bytes:
        path = self.paths[position]
        try:
            return self._content(path)
        except Exception as error:  # of a damaged archive, whatever the decoder met
            raise UsageError(f"{self.place}: {path} cannot be read: {error}") from error


class FolderImages(_ImageFiles):
    """All images below a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()])

    def _content(self, path: str) -> bytes:
        return (self.place / path).read_bytes()


class ZippedImages(_ImageFiles):
    """All images of a zip archive, in whatever folders. Nothing is unpacked to the disk, so their paths do no harm."""

    def __init__(self, file: Path) -> None:
        try:
            self.archive = zipfile.ZipFile(file)
        except Exception as error:  # of a damaged archive, whatever the decoder met
            raise UsageError(f"{file}: cannot be read as a zip archive: {error}") from error
        super().__init__(file, [name for name in self.archive.namelist() if not name.endswith("/")])

    def _content(self, path: str) -> bytes:
        size = self.archive.getinfo(path).file_size
        if size > MAX_FILE_BYTES:
            raise OSError(f"it unpacks to {size} bytes, more than {MAX_FILE_BYTES}")
        return self.archive.read(path)


def _visible_images(place: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """The images among some paths, sorted; hidden files and folders are left out.

    Raises:
        UsageError: there is none, or one of a format that is not read, or one path is there twice.
    """
    visible = [path for path in paths if not any(map(_is_hidden, PurePosixPath(path).parts))]
    endings = ", ".join(FORMATS)
    unread = next((path for path in sorted(visible) if Path(path).suffix.lower() in UNREAD_FORMATS), None)
    if unread is not None:
        raise UsageError(f"{place}: found {unread}, expected images ending in {endings}; convert it, or take it away")
    images = tuple(sorted(path for path in visible if is_image(path)))
    if not images:
        raise UsageError(f"{place}: found no images, expected files ending in {endings}")
    double = repeated(images)
    if double:
        raise UsageError(f"{place}: found {double} twice, expected each path once")
    return images


def _is_hidden(part: str) -> bool:
    return part == "__MACOSX" or (part.startswith(".") and part != "..")


def _names(paths: Sequence[str]) -> tuple[str, ...]:
    """Paths without endings and without the folders that all of them share."""
    bare = [PurePosixPath(path).with_suffix("").parts for path in paths]
    folders = [parts[:-1] for parts in bare]
    levels = enumerate(zip(*folders, strict=False))
    shared = next((level for level, here in levels if len(set(here)) > 1), min(map(len, folders)))
    return tuple("/".join(parts[shared:]) for parts in bare)


def repeated(names: Iterable[str]) -> str:
    """A name that is there more than once, or ""."""
    return next((name for name, count in Counter(names).items() if count > 1), "")


def pixel_digest(image: NDArray[np.uint8]) -> bytes:
    """SHA-256 of an image's size and pixels, however it was stored."""
    return hashlib.sha256(str(image.shape).encode() + np.ascontiguousarray(image).tobytes()).digest()
