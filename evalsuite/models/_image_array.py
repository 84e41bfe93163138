"""Images as the rows of an array in an ``.npz`` file, read row by row, and the labels beside them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.imaging import MAX_PIXELS

NAMES = ("images", "arr_0")
"""Of the array of images; ``arr_0`` is where guided-diffusion puts them."""

LABELS = "arr_1"
MAX_LABELS_BYTES = 1 << 29

EXPECTED = "expected an array 'images' or 'arr_0', uint8 [N, C, H, W] or [N, H, W, C] with C 1 or 3"


class ImageArray:
    """Rows of an array, which stays in the file: neither a large array nor one that claims to be needs memory.

    Attributes:
        labels: int64 ``[N]`` of an array ``arr_1``; None where there is none.
    """

    def __init__(self, path: Path, file: IO[bytes], unpacked: int, labels: NDArray[np.int64] | None) -> None:
        self.path, self.labels, self._file = path, labels, file
        header = _header(file)
        shape = header.shape
        ends = {shape[1] in (1, 3), shape[3] in (1, 3)} if len(shape) == 4 else set()
        if header.dtype != np.uint8 or ends != {True, False} or 0 in shape or header.fortran_order:
            order = " in Fortran order" if header.fortran_order else ""
            raise Failed(f"{path}: found {header.dtype} {list(shape)}{order}, {EXPECTED}, in C order")
        self._start, self._shape, self._row_bytes = file.tell(), shape, prod(shape[1:])
        if self._row_bytes > 3 * MAX_PIXELS:
            raise Failed(f"{path}: found {list(shape)}, expected images of at most {MAX_PIXELS} pixels")
        if unpacked != self._start + shape[0] * self._row_bytes:
            raise Failed(f"{path}: the array is not as long as its header says; is the file cut short?")
        if labels is not None and len(labels) != shape[0]:
            raise Failed(f"{path}: found {len(labels)} labels in {LABELS}, expected one for each of {shape[0]} images")

    def size(self) -> int:
        return self._shape[0]

    def read(self, sample_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[B, C, H, W]``; fastest for increasing ids, since an unpacked stream goes forwards only.

        Raises:
            Failed: the file is damaged.
        """
        rows = np.stack([self._row(i) for i in sample_ids.tolist()])
        return rows if self._shape[1] in (1, 3) else np.ascontiguousarray(rows.transpose(0, 3, 1, 2))

    def _row(self, position: int) -> NDArray[np.uint8]:
        with _reading(self.path):
            self._file.seek(self._start + position * self._row_bytes)
            return np.frombuffer(self._file.read(self._row_bytes), np.uint8).reshape(self._shape[1:])


@contextmanager
def in_array(path: Path) -> Iterator[ImageArray]:
    """The images of an ``.npz`` file.

    Raises:
        Failed: it is none, has no array of images, or labels that are no classes.
    """
    with _reading(path):
        archive = zipfile.ZipFile(path)
    with archive:
        with _reading(path):
            names = set(archive.namelist())
            name = next((name for name in NAMES if f"{name}.npy" in names), NAMES[0])
            labels = _labels(archive) if f"{LABELS}.npy" in names else None
            member = archive.getinfo(f"{name}.npy")
            file = archive.open(member)
        with file:
            with _reading(path):
                images = ImageArray(path, file, member.file_size, labels)
            yield images


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[np.generic]


def _header(file: IO[bytes]) -> _Header:
    """What is said before the numbers; they come next in the file."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return _Header(*read(file))


def _labels(archive: zipfile.ZipFile) -> NDArray[np.int64]:
    """Classes from 0, int64 ``[N]``."""
    with archive.open(f"{LABELS}.npy") as file:
        header = _header(file)
        size = prod(header.shape) * header.dtype.itemsize
        if header.dtype.kind not in "iu" or len(header.shape) != 1 or size > MAX_LABELS_BYTES:
            found = f"{header.dtype} {list(header.shape)}"
            raise Failed(f"{archive.filename}: found {found} in {LABELS}, expected whole numbers [N]: the classes")
        labels = np.frombuffer(file.read(size), header.dtype).astype(np.int64)
    if len(labels) and labels.min() < 0:
        raise Failed(f"{archive.filename}: found {labels.min()} in {LABELS}, expected classes from 0")
    return labels


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever the library meets in a damaged file becomes one kind of error."""
    try:
        yield
    except Failed:
        raise
    except Exception as error:  # of a damaged file, whatever the decoder met
        raise Failed(f"{path}: {error}; {EXPECTED}") from error
