"""Adapter ``image_folder``: images that were generated elsewhere, as files in a folder or one ``.npz`` array."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.files import content_key
from evalsuite.imaging import FORMATS, is_image, read_image
from evalsuite.models.contract import Batch, Capabilities, Condition, LoadedModel, Probe
from evalsuite.settings import Settings, SuitePath
from evalsuite.targets.contract import Target

VERSION = 1
ARRAY_NAME = "images"


class ImageFolder(Settings):
    """Images in place of a model.

    Sample i is the file whose name has i as its last number (``00017.png``, ``sample-17.png``), or row i of the array
    ``images`` (uint8 ``[N, C, H, W]`` or ``[N, H, W, C]``) of an ``.npz`` file. That pairs it with sample i of every
    other model, if it was made from the same seed and condition; set ``seeded: false`` if it was not.

    Attributes:
        path: a folder or an ``.npz`` file; relative to the suite file.
        condition: ``class`` if image i shows class i mod C, as the suite asks for it; ``text`` if it shows prompt i
            mod P.
        seeded: whether image i belongs to the seed of sample i.
        licence: of the images, for the record.
    """

    path: SuitePath
    condition: Condition = "none"
    seeded: bool = True
    licence: str = "unknown"

    runs_user_code: ClassVar[bool] = False

    def fingerprint(self) -> str:
        """SHA-256 over the files, in the order of the samples; their names and place do not matter.

        Raises:
            Failed: there are no images, or a number is missing or there twice.
        """
        content = [_file_hash(path) for path in self._files()]
        return content_key(["image_folder", VERSION, content, self.condition, self.seeded])

    def capabilities(self) -> Capabilities:
        """What is known without decoding an image: how many there are."""
        return Capabilities(
            condition=self.condition, seeded=self.seeded, timed=False, max_samples=self._source().size()
        )

    def provenance(self) -> dict[str, str | int | float | None]:
        files = self._files()
        return {
            "source": f"images in {self.path.name}",
            "licence": self.licence,
            "size_bytes": sum(path.stat().st_size for path in files),
        }

    @contextmanager
    def open(self, target: Target) -> Iterator[LoadedModel]:
        yield _Loaded(self._source())

    def _source(self) -> _Source:
        return _Array(self.path) if self.path.suffix == ".npz" else _Folder(numbered_files(self.path))

    def _files(self) -> list[Path]:
        return [self.path] if self.path.suffix == ".npz" else numbered_files(self.path)


class _Source(Protocol):
    def size(self) -> int: ...

    def read(self, sample_ids: NDArray[np.int64]) -> NDArray[np.uint8]: ...


class _Loaded:
    def __init__(self, source: _Source) -> None:
        self.source = source

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """The images of these samples; seeds and labels were settled when they were made."""
        return self.source.read(batch.sample_ids)


class _Folder:
    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.first: tuple[int, ...] | None = None

    def size(self) -> int:
        return len(self.files)

    def read(self, sample_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.stack([self._checked(self.files[i]) for i in sample_ids.tolist()])

    def _checked(self, path: Path) -> NDArray[np.uint8]:
        """The image, if it has the shape of the first one in the folder."""
        if self.first is None:
            self.first = read_image(self.files[0]).shape
        image = read_image(path)
        if image.shape != self.first:
            raise Failed(
                f"{path.name} is {_size(image.shape)}, but {self.files[0].name} is {_size(self.first)}; "
                "all images of a folder must have one size and colour mode: convert them first, since resizing "
                "changes what is measured"
            )
        return image


class _Array:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._images: NDArray[np.uint8] | None = None

    def size(self) -> int:
        return self._header()[0]

    def read(self, sample_ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        if self._images is None:
            self._images = self._load()
        return self._images[sample_ids]

    def _load(self) -> NDArray[np.uint8]:
        shape = self._header()
        with np.load(self.path, allow_pickle=False) as arrays:
            images: NDArray[np.uint8] = arrays[ARRAY_NAME]
        return images if shape[1] in (1, 3) else np.ascontiguousarray(images.transpose(0, 3, 1, 2))

    def _header(self) -> tuple[int, ...]:
        """Shape of the array, read without unpacking it.

        Raises:
            Failed: the file is no such array.
        """
        expected = f"expected an array {ARRAY_NAME!r}, uint8 [N, C, H, W] or [N, H, W, C] with C 1 or 3"
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{ARRAY_NAME}.npy") as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise Failed(f"{self.path}: {error}; {expected}") from error
        if dtype != np.uint8 or len(shape) != 4 or not {shape[1], shape[3]} & {1, 3}:
            raise Failed(f"{self.path}: found {dtype} {list(shape)}, {expected}")
        return tuple(shape)


def numbered_files(folder: Path) -> list[Path]:
    """Image files of a folder in the order of the last number in their names, which must be 0, 1, 2, ...

    Raises:
        Failed: there are none, or a number is missing or there twice.
    """
    try:
        found = [path for path in folder.iterdir() if is_image(path.name)]
    except OSError as error:
        raise Failed(f"{folder}: {error.strerror}; expected a folder of images or an .npz file") from error
    if not found:
        raise Failed(f"{folder}: found no images, expected files ending in {', '.join(FORMATS)}")
    numbered = sorted((_number(path), path.name, path) for path in found)
    for position, (number, name, _) in enumerate(numbered):
        if number != position:
            raise Failed(
                f"{folder}: found {name} where sample {position} should be; expected one file for each of "
                f"0 to {len(numbered) - 1}, by the last number in its name"
            )
    return [path for _, _, path in numbered]


def _number(path: Path) -> int:
    numbers = re.findall(r"[0-9]+", path.stem)
    return int(numbers[-1]) if numbers else -1


def _file_hash(path: Path) -> str:
    try:
        state = path.stat()
        return _hash_of(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}") from error


@lru_cache(maxsize=1_000_000)
def _hash_of(path: Path, modified_ns: int, size: int) -> str:
    """Hashed once a process for each state of the file, since a run asks often."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[2]}x{shape[1]} {'grey' if shape[0] == 1 else 'RGB'}"
