"""A folder of images as reference: any images, as long as they have one size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evalsuite.datasets._shards import sha256_of, shard
from evalsuite.datasets._stack import Named, stack
from evalsuite.errors import Unavailable
from evalsuite.imaging import FORMATS, is_image, read_image
from evalsuite.settings import Settings, SuitePath


class ImageFolder(Settings):
    """All images below a folder, in the order of their relative paths; hidden files and other suffixes are left out.

    If every image lies in a subfolder, the subfolders of the first level are the classes.

    Attributes:
        path: the folder.
        licence: SPDX identifier or name, for the record.
        source: where the images come from, for the record.
    """

    path: SuitePath
    licence: str = "unknown"
    source: str = "a local folder"

    def fingerprint(self) -> str:
        """SHA-256 over relative paths and file contents, which decide order, classes and pixels.

        Raises:
            Unavailable: there is no such folder, or no image in it.
        """
        digest = hashlib.sha256()
        for file in self.files:
            content = bytes.fromhex(sha256_of(shard(file)))
            digest.update(file.relative_to(self.path).as_posix().encode() + b"\0" + content)
        return digest.hexdigest()

    def size(self) -> int:
        return len(self.files)

    def class_names(self) -> tuple[str, ...]:
        """Names of the first-level subfolders; empty where an image lies outside of them."""
        parts = [file.relative_to(self.path).parts for file in self.files]
        return tuple(sorted({part[0] for part in parts})) if all(len(part) > 1 for part in parts) else ()

    def labels(self) -> NDArray[np.int64] | None:
        """int64 ``[size]``, positions in ``class_names``; None where there are no classes."""
        names = {name: label for label, name in enumerate(self.class_names())}
        if not names:
            return None
        return np.array([names[file.relative_to(self.path).parts[0]] for file in self.files], np.int64)

    def images(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]`` in [0, 255], with C 1 for gray images and 3 for all others.

        Raises:
            Unavailable: there is no such folder, or no image in it.
            Failed: an image cannot be read, is transparent, has more than 8 bits a channel or another shape than the
                first of the folder.
        """
        return stack(self.path, self._image(0), self._read(ids), len(ids))

    def _read(self, ids: NDArray[np.int64]) -> Iterator[tuple[int, Named]]:
        return ((place, self._image(i)) for place, i in enumerate(ids.tolist()))

    def _image(self, i: int) -> Named:
        return self.files[i].name, read_image(self.files[i])

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Paths of the images, listed once."""
        if not self.path.is_dir():
            raise Unavailable(f"image folder {self.path} does not exist; set path to a folder of images")
        names = (file.relative_to(self.path) for file in self.path.rglob("*") if is_image(file.name))
        visible = (name for name in names if not any(part.startswith(".") for part in name.parts))
        found = [name for name in visible if (self.path / name).is_file()]
        if not found:
            raise Unavailable(f"image folder {self.path} has no image; expected files ending in {', '.join(FORMATS)}")
        return tuple(self.path / name for name in sorted(found, key=Path.as_posix))
