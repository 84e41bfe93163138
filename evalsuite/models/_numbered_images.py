"""Image files whose names number them, in a folder or in a zip archive, which may come from anyone."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.imaging import FORMATS, is_image, read_image

MAX_FILE_BYTES = 1 << 29
"""Of one image file in an archive, unpacked: more than the largest image that is read needs."""

MOST_DIGITS = 18
"""Of the number in a file's name; more fit no sample, and may have been written to keep Python busy."""


class NumberedImages:
    """Images in the order of their numbers, all of one shape; each is read when it is needed."""

    labels: NDArray[np.int64] | None = None

    def __init__(self, names: list[str], read: Callable[[str], NDArray[np.uint8]]) -> None:
        self.names, self._read_file = names, read
        self._first: tuple[int, ...] | None = None

    def size(self) -> int:
        return len(self.names)

    def read(self, sample_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[B, C, H, W]``.

        Raises:
            Failed: a file cannot be read, or has another shape than the first.
        """
        return np.stack([self._checked(self.names[i]) for i in sample_ids.tolist()])

    def _checked(self, name: str) -> NDArray[np.uint8]:
        """The image, if it has the shape of the first one."""
        if self._first is None:
            self._first = self._read_file(self.names[0]).shape
        image = self._read_file(name)
        if image.shape != self._first:
            raise Failed(
                f"{name} is {_size(image.shape)}, but {self.names[0]} is {_size(self._first)}; all images must have "
                "one size and colour mode: convert them first, since resizing changes what is measured"
            )
        return image


@contextmanager
def in_folder(folder: Path) -> Iterator[NumberedImages]:
    """The images of a folder.

    Raises:
        Failed: see :func:`numbered_files`.
    """
    yield NumberedImages([path.name for path in numbered_files(folder)], lambda name: read_image(folder / name))


@contextmanager
def in_archive(file: Path) -> Iterator[NumberedImages]:
    """The images of a zip archive, in whatever folders. Nothing is unpacked to the disk, so their paths do no harm.

    Raises:
        Failed: it is no zip archive, a name has control characters, or the numbers have gaps.
    """
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # of a damaged archive, whatever the decoder met
        raise Failed(f"{file}: cannot be read as a zip archive: {error}") from error

    def read(name: str) -> NDArray[np.uint8]:
        try:
            size = archive.getinfo(name).file_size
            if size > MAX_FILE_BYTES:
                raise Failed(f"{file}: {name} unpacks to {size} bytes, more than {MAX_FILE_BYTES}")
            content = archive.read(name)
        except Failed:
            raise
        except Exception as error:  # of a damaged archive, whatever the decoder met
            raise Failed(f"{file}: {name} cannot be read: {error}") from error
        return read_image(content, name)

    with archive:
        yield NumberedImages(_in_order(file, archive.namelist()), read)


def numbered_files(folder: Path) -> list[Path]:
    """Image files of a folder in the order of the last number in their names, which must be 0, 1, 2, ...

    Raises:
        Failed: there are none, or a number is missing or there twice.
    """
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise Failed(f"{folder}: {error.strerror}; expected a folder of images, a .zip or an .npz file") from error
    return [folder / name for name in _in_order(folder, names)]


def _in_order(place: Path, names: Iterable[str]) -> list[str]:
    found = [name for name in names if is_image(name) and not any(map(_is_hidden, PurePosixPath(name).parts))]
    if not found:
        raise Failed(f"{place}: found no images, expected files ending in {', '.join(FORMATS)}")
    hostile = next((name for name in found if not name.isprintable()), None)
    if hostile is not None:
        raise Failed(f"{place}: found the name {hostile!r}, expected one without control characters")
    numbered = sorted((_number(name), name) for name in found)
    for position, (number, name) in enumerate(numbered):
        if number != position:
            raise Failed(
                f"{place}: found {name} where sample {position} should be; expected one file for each of "
                f"0 to {len(numbered) - 1}, by the last number in its name"
            )
    return [name for _, name in numbered]


def _is_hidden(part: str) -> bool:
    return part == "__MACOSX" or (part.startswith(".") and part != "..")


def _number(name: str) -> int:
    numbers = re.findall(r"[0-9]+", PurePosixPath(name).stem)
    return int(numbers[-1]) if numbers and len(numbers[-1]) <= MOST_DIGITS else -1


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[2]}x{shape[1]} {'grey' if shape[0] == 1 else 'RGB'}"
