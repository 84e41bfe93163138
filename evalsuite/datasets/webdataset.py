"""Tar files in the WebDataset layout: members of one sample stand together and share their name up to the first dot."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.datasets._classes import NO_CLASSES, Classes, numbered
from evalsuite.datasets._shards import Shard, find_shards, reading, sha256_of
from evalsuite.datasets._stack import Named, stack
from evalsuite.errors import Failed, Unavailable
from evalsuite.files import content_key
from evalsuite.imaging import FORMATS, read_image
from evalsuite.settings import Settings, SuitePath

FORMAT = "a tar file (not compressed)"
MAX_IMAGE_BYTES = 1 << 29
"""More than the largest image that is read needs."""

MAX_HEADER_BYTES = 1 << 20
MAX_LABEL_BYTES = 18
"""So many digits fit into an int64."""

_NAME = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]*)", re.DOTALL)
"""Key and ending: ``dogs/0007.seg.png`` is the file ``seg.png`` of the sample ``dogs/0007``."""


class Sample(NamedTuple):
    """Where an image lies.

    Attributes:
        name: of its member.
        offset: of its first byte in the tar file.
        size: in bytes.
        label: what its ``.cls`` says; None without one.
    """

    name: str
    offset: int
    size: int
    label: int | None


class Webdataset(Settings):
    """One tar file, or the tar files of a folder in the order of their names; nothing is unpacked to the disk.

    A sample is an image (``KEY.png``, ``KEY.jpg``, ``KEY.webp``, ...) and, where there are classes, ``KEY.cls`` with
    its label, a whole number from 0. Other members are left out, and so are links, folders and hidden files.

    Attributes:
        path: the tar file or folder.
        pattern: which files of a folder are meant, as ``val-*.tar``.
        licence: SPDX identifier or name, for the record.
        source: where the images come from, for the record.
    """

    path: SuitePath
    pattern: str = "*.tar"
    licence: str = "unknown"
    source: str = "local tar files"

    def fingerprint(self) -> str:
        """SHA-256 over the tar files' contents; their names count only by the order they give.

        Raises:
            Unavailable: there is no such file.
        """
        return content_key(["webdataset", [sha256_of(shard) for shard in self._shards]])

    def size(self) -> int:
        return len(self._samples)

    def class_names(self) -> tuple[str, ...]:
        """Each label as its own name; empty where there are no classes."""
        return self._classes.names

    def labels(self) -> NDArray[np.int64] | None:
        """int64 ``[size]``; None where no sample has a label.

        Raises:
            Unavailable: there is no such file, or no image in it.
            Failed: a file is damaged, a label is no class, or some samples have one and others do not.
        """
        return self._classes.labels

    def images(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]`` in [0, 255], with C 1 for gray images and 3 for all others.

        Raises:
            Unavailable: there is no such file, or no image in it.
            Failed: a file is damaged; an image cannot be read, is transparent, has more than 8 bits a channel or
                another shape than the first.
        """
        return stack(self.path, self._image(0), self._read(ids), len(ids))

    def _read(self, ids: NDArray[np.int64]) -> Iterator[tuple[int, Named]]:
        return ((place, self._image(i)) for place, i in enumerate(ids.tolist()))

    def _image(self, i: int) -> Named:
        shard, sample = self._samples[i]
        name = f"{shard.path.name}/{sample.name}"
        with reading(shard.path, FORMAT), shard.path.open("rb") as file:
            file.seek(sample.offset)
            content = file.read(sample.size)
        return name, read_image(content, name)

    @cached_property
    def _shards(self) -> tuple[Shard, ...]:
        return find_shards(self.path, self.pattern)

    @cached_property
    def _samples(self) -> tuple[tuple[Shard, Sample], ...]:
        samples = tuple((shard, sample) for shard in self._shards for sample in _index(shard))
        if not samples:
            raise Unavailable(f"{self.path} has no image; expected members such as 0001.png and 0001.cls")
        return samples

    @cached_property
    def _classes(self) -> Classes:
        labels = [sample.label for _, sample in self._samples if sample.label is not None]
        if labels and len(labels) < len(self._samples):
            shard, bare = next((shard, sample) for shard, sample in self._samples if sample.label is None)
            raise Failed(f"{shard.path}: {bare.name} has no .cls beside it, though other images have")
        return numbered(self.path, labels) if labels else NO_CLASSES


@lru_cache(maxsize=10_000)
def _index(shard: Shard) -> tuple[Sample, ...]:
    """The samples of a tar file, by one pass over its headers.

    Raises:
        Failed: it is damaged; a sample has two images, or a label and no image; an image is too large.
    """
    images: dict[str, Sample] = {}
    labels: dict[str, int] = {}
    with reading(shard.path, FORMAT), _Headers(shard.path) as file:
        for member in _members(file):
            match = _NAME.fullmatch(member.name)
            if match is None or not member.isreg() or member.issparse():
                continue
            key, ending = match.groups()
            if f".{ending.lower()}" in FORMATS:
                _require_one(shard, images.get(key), member)
                images[key] = Sample(member.name, member.offset_data, member.size, None)
            elif ending == "cls":
                labels[key] = _label(shard, file, member)
    orphan = next((key for key in labels if key not in images), None)
    if orphan is not None:
        raise Failed(
            f"{shard.path}: found {orphan}.cls without an image; expected one of {', '.join(FORMATS)} beside it"
        )
    return tuple(sample._replace(label=labels.get(key)) for key, sample in images.items())


class _Headers(io.FileIO):
    """A tar file of which headers are read; one that claims to be endless is refused before it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return super().read(size) or b""


def _members(file: _Headers) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="replace") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # where it would keep every header
            if member.size < 0:  # the next header would be this one
                raise tarfile.ReadError(f"{member.name} has {member.size} bytes")
            yield member
        # A broken header ends the list of members as well; behind the last one stands a block of zeros.
        file.seek(archive.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError(f"no header and no end mark at byte {archive.offset}")


def _require_one(shard: Shard, earlier: Sample | None, member: tarfile.TarInfo) -> None:
    if earlier is not None:
        raise Failed(f"{shard.path}: found {earlier.name} and {member.name}, expected one image a sample")
    if member.size > MAX_IMAGE_BYTES:
        raise Failed(f"{shard.path}: {member.name} has {member.size} bytes, more than {MAX_IMAGE_BYTES}")


def _label(shard: Shard, file: _Headers, member: tarfile.TarInfo) -> int:
    file.seek(member.offset_data)
    text = file.read(min(member.size, MAX_LABEL_BYTES))
    if member.size > MAX_LABEL_BYTES or not re.fullmatch(rb"\s*[0-9]+\s*", text):
        raise Failed(f"{shard.path}: {member.name} holds {text!r}, expected a label: a whole number from 0")
    return int(text)
