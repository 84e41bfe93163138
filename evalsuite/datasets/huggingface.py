"""A dataset that the library ``datasets`` saved with ``save_to_disk``: Arrow files, their list and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evalsuite.datasets._arrow import classes_of, content_of, declared_names, require_images, require_labels
from evalsuite.datasets._classes import NO_CLASSES, Classes
from evalsuite.datasets._shards import Shard, reading, sha256_of, shard
from evalsuite.datasets._stack import Named, stack
from evalsuite.errors import Failed, Unavailable
from evalsuite.files import content_key
from evalsuite.imaging import read_image
from evalsuite.settings import Settings, SuitePath

STATE = "state.json"
SPLITS = "dataset_dict.json"


class Huggingface(Settings):
    """A folder of ``save_to_disk``, read as the Arrow files it is: no script runs, and nothing is downloaded.

    Of a dataset with splits, each split is such a folder.

    Attributes:
        path: the folder with ``state.json``.
        image: column of images (feature ``Image``), or of bytes.
        label: column of labels (``ClassLabel``, whole numbers or text); None for no classes.
        licence: SPDX identifier or name, for the record.
        source: where the images come from, for the record.
    """

    path: SuitePath
    image: str = "image"
    label: str | None = None
    licence: str = "unknown"
    source: str = "a local dataset"

    def fingerprint(self) -> str:
        """SHA-256 over the Arrow files' contents and the columns.

        Raises:
            Unavailable: there is no such folder, or a file of it is missing.
            Failed: it is no saved dataset.
        """
        return content_key(["huggingface", [sha256_of(shard) for shard in self._shards], self.image, self.label])

    def size(self) -> int:
        return len(self._images)

    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by label; empty without ``label``."""
        return self._classes.names

    def labels(self) -> NDArray[np.int64] | None:
        """int64 ``[size]``; None without ``label``.

        Raises:
            Unavailable: there is no such folder, or no image in it.
            Failed: a file is damaged, there is no such column, or a label is missing or out of range.
        """
        return self._classes.labels

    def images(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]`` in [0, 255], with C 1 for gray images and 3 for all others.

        Raises:
            Unavailable: there is no such folder, or no image in it.
            Failed: a file is damaged or there is no such column; an image cannot be read, is transparent, has more than
                8 bits a channel or another shape than the first.
        """
        return stack(self.path, self._image(0), self._read(ids), len(ids))

    def _read(self, ids: NDArray[np.int64]) -> Iterator[tuple[int, Named]]:
        return ((place, self._image(row)) for place, row in enumerate(ids.tolist()))

    def _image(self, row: int) -> Named:
        name = f"{self.path.name} row {row}"
        return name, read_image(content_of(self._images[row], name), name)

    @cached_property
    def _shards(self) -> tuple[Shard, ...]:
        return tuple(shard(self.path / name) for name in _file_names(self.path))

    @cached_property
    def _tables(self) -> list[pa.Table]:
        tables = [_table(shard) for shard in self._shards]
        if not any(map(len, tables)):
            raise Unavailable(f"{self.path} has no rows; expected at least one image")
        return tables

    @cached_property
    def _images(self) -> pa.ChunkedArray:
        for part, table in zip(self._shards, self._tables, strict=True):
            require_images(table.schema, self.image, part.path)
        return _column(self._tables, self.image, self.path)

    @cached_property
    def _classes(self) -> Classes:
        if self.label is None:
            return NO_CLASSES
        for part, table in zip(self._shards, self._tables, strict=True):
            require_labels(table.schema, self.label, part.path)
        names = declared_names(self._tables[0].schema, self.label)
        return classes_of(_column(self._tables, self.label, self.path), names, self.path)


def _file_names(folder: Path) -> list[str]:
    """Names of the Arrow files, in the order of their rows.

    Raises:
        Unavailable: there is no such folder.
        Failed: it is no saved dataset; names the splits of one that has them.
    """
    if not folder.is_dir():
        raise Unavailable(f"{folder} does not exist; set path to a folder that save_to_disk wrote")
    if (folder / SPLITS).is_file():
        splits = sorted(path.parent.name for path in folder.glob(f"*/{STATE}"))
        raise Failed(f"{folder}: found the splits {', '.join(splits)}; set path to the folder of one of them")
    if not (folder / STATE).is_file():
        raise Failed(f"{folder}: found no {STATE}, expected a folder that save_to_disk wrote")
    with reading(folder / STATE, "the state of a saved dataset"):
        state = json.loads((folder / STATE).read_text("utf-8"))
        names = [str(file["filename"]) for file in state["_data_files"]]
    strangers = [name for name in names if Path(name).name != name]
    if strangers:
        raise Failed(f"{folder / STATE}: found the files {names}, expected names of Arrow files beside it")
    if state.get("_indices_data_files"):
        raise Failed(
            f"{folder}: found a selection of rows apart from the rows; save it anew with datasets 2.0 or later"
        )
    return names


@lru_cache(maxsize=10_000)
def _table(shard: Shard) -> pa.Table:
    """The rows of a file; they stay on the disk, and pages of it come to memory as they are read."""
    with reading(shard.path, "an Arrow file"):
        return pa.ipc.open_stream(pa.memory_map(str(shard.path))).read_all()


def _column(tables: list[pa.Table], name: str, place: Path) -> pa.ChunkedArray:
    """One column of all tables. Its offsets are checked: a file that lies about them would read other memory."""
    with reading(place, "Arrow files"):
        chunks = [chunk for table in tables for chunk in table.column(name).chunks]
        column = pa.chunked_array(chunks, tables[0].schema.field(name).type)
        column.validate(full=True)
    return column
