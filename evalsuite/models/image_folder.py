"""Adapter ``image_folder``: images that were generated elsewhere, in a folder, a ``.zip`` or an ``.npz`` file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.files import content_key, sha256_of
from evalsuite.models._image_array import in_array
from evalsuite.models._numbered_images import in_archive, in_folder, numbered_files
from evalsuite.models.contract import Batch, Capabilities, Condition, LoadedModel, Probe
from evalsuite.settings import Settings, SuitePath
from evalsuite.targets.contract import Target

VERSION = 1


class ImageFolder(Settings):
    """Images in place of a model.

    Sample i is the file whose name has i as its last number (``00017.png``, ``sample-17.png``), or row i of the array
    ``images`` or ``arr_0`` (uint8 ``[N, C, H, W]`` or ``[N, H, W, C]``) of an ``.npz`` file. That pairs it with sample
    i of every other model, if it was made from the same seed and condition; set ``seeded: false`` if it was not.

    Attributes:
        path: a folder, a ``.zip`` or an ``.npz`` file; relative to the suite file.
        condition: ``class`` if image i shows class i mod C, as the suite asks for it (labels in an array ``arr_1`` of
            the ``.npz`` file are held to that), ``text`` if it shows prompt i mod P.
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
        with self._source() as source:
            size = source.size()
        return Capabilities(
            condition=self.condition, seeded=self.seeded, timed=False, obeys=frozenset(), max_samples=size
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
        with self._source() as source:
            yield _Loaded(self.path, source)

    @contextmanager
    def _source(self) -> Iterator[_Source]:
        """The images, if their labels can be what any suite asks for.

        Which classes the suite has is known only when it asks, so that is looked at with every batch.
        """
        kinds: dict[str, Callable[[Path], AbstractContextManager[_Source]]] = {".npz": in_array, ".zip": in_archive}
        with kinds.get(self.path.suffix.lower(), in_folder)(self.path) as source:
            if self.condition == "class" and source.labels is not None:
                in_turn = np.arange(len(source.labels)) % (source.labels.max() + 1)
                _require_equal(self.path, np.arange(len(in_turn)), source.labels, in_turn)
            yield source

    def _files(self) -> list[Path]:
        return [self.path] if self.path.suffix.lower() in (".npz", ".zip") else numbered_files(self.path)


class _Source(Protocol):
    """Images by position.

    Attributes:
        labels: the class of each image, int64 ``[N]``, where the source tells.
    """

    labels: NDArray[np.int64] | None

    def size(self) -> int: ...

    def read(self, sample_ids: NDArray[np.int64]) -> NDArray[np.uint8]: ...


class _Loaded:
    def __init__(self, path: Path, source: _Source) -> None:
        self.path, self.source = path, source

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        """The images of these samples; seeds and classes were settled when they were made.

        Raises:
            Failed: a file cannot be read, or shows another class than the suite asks for.
        """
        if batch.labels is not None and self.source.labels is not None:
            _require_equal(self.path, batch.sample_ids, self.source.labels[batch.sample_ids], batch.labels)
        return self.source.read(batch.sample_ids)


def _require_equal(
    path: Path, sample_ids: NDArray[np.int64], found: NDArray[np.int64], expected: NDArray[np.int64]
) -> None:
    """Compare the classes of some samples.

    Raises:
        Failed: names the first that differs.
    """
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        i = wrong[0]
        raise Failed(
            f"{path}: found class {found[i]} for image {sample_ids[i]}, expected {expected[i]}: image i shows class "
            "i mod C; put the images in that order, or leave condition: class out"
        )


def _file_hash(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise Failed(f"{path}: cannot be read: {error.strerror}") from error
