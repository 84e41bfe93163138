"""Parquet files with encoded images in a column, as dataset hubs publish them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.parquet import ParquetFile

from evalsuite.datasets._arrow import classes_of, content_of, declared_names, require_images, require_labels
from evalsuite.datasets._classes import NO_CLASSES, Classes
from evalsuite.datasets._shards import Shard, find_shards, reading, sha256_of
from evalsuite.datasets._stack import Named, stack
from evalsuite.errors import Failed, Unavailable
from evalsuite.files import content_key
from evalsuite.imaging import read_image
from evalsuite.settings import Settings, SuitePath

FORMAT = "Parquet"
ROWS_AT_ONCE = 16
"""Read together; a row group, which may hold all images of a file, is never in memory whole, but a page of it is."""

BUFFER_BYTES = 1 << 20


class Parquet(Settings):
    """One Parquet file, or the files of a folder in the order of their names.

    Labels are whole numbers from 0 or texts. Names of the classes come from the metadata that Hugging Face writes, else
    from the texts in alphabetical order, else each number is its own name.

    Attributes:
        path: the file or folder.
        image: column of encoded images: bytes, or a struct with a field ``bytes``.
        label: column of labels; None for no classes.
        pattern: which files of a folder are meant, as ``test-*.parquet``.
        licence: SPDX identifier or name, for the record.
        source: where the images come from, for the record.
    """

    path: SuitePath
    image: str = "image"
    label: str | None = None
    pattern: str = "*.parquet"
    licence: str = "unknown"
    source: str = "a local Parquet file"

    def fingerprint(self) -> str:
        """SHA-256 over the files' contents and the columns; names of files count only by the order they give.

        Raises:
            Unavailable: there is no such file.
        """
        return content_key(["parquet", [sha256_of(shard) for shard in self._shards], self.image, self.label])

    def size(self) -> int:
        return self._rows.count

    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by label; empty without ``label``."""
        return self._classes.names

    def labels(self) -> NDArray[np.int64] | None:
        """int64 ``[size]``; None without ``label``.

        Raises:
            Unavailable: there is no such file, or no image in it.
            Failed: a file is damaged, has no such column, or a label is missing or out of range.
        """
        return self._classes.labels

    def images(self, ids: NDArray[np.int64]) -> NDArray[np.uint8]:
        """uint8 ``[len(ids), C, H, W]`` in [0, 255], with C 1 for gray images and 3 for all others.

        Raises:
            Unavailable: there is no such file, or no image in it.
            Failed: a file is damaged or has no such column; an image cannot be read, is transparent, has more than 8
                bits a channel or another shape than the first.
        """
        return stack(self.path, self._first, self._rows.images(ids), len(ids))

    @cached_property
    def _shards(self) -> tuple[Shard, ...]:
        return find_shards(self.path, self.pattern)

    @cached_property
    def _rows(self) -> _Rows:
        rows = _Rows(self._shards, self.image)
        if not rows.count:
            raise Unavailable(f"{self.path} has no rows; expected at least one image")
        return rows

    @cached_property
    def _first(self) -> Named:
        _, first = next(self._rows.images(np.zeros(1, np.int64)))
        return first

    @cached_property
    def _classes(self) -> Classes:
        if self.label is None:
            return NO_CLASSES
        columns = [_labels(shard, self.label) for shard in self._shards]
        names = [declared_names(_schema(shard), self.label) for shard in self._shards]
        for shard, column, declared in zip(self._shards, columns, names, strict=True):
            if column.type != columns[0].type or declared != names[0]:
                first = self._shards[0].path.name
                raise Failed(
                    f"{shard.path}: column {self.label!r} has another type or other class names than in {first}"
                )
        labels = pa.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type)
        return classes_of(labels, names[0], self.path)


class _Rows:
    """The image column of all files, read forwards: rows in rising order cost one pass, whatever the row groups."""

    def __init__(self, shards: Sequence[Shard], column: str) -> None:
        for shard in shards:
            require_images(_schema(shard), column, shard.path)
        self.column = column
        self.groups = [(shard, group) for shard in shards for group in range(len(_row_counts(shard)))]
        counts = [count for shard in shards for count in _row_counts(shard)]
        self.starts = np.cumsum([0, *counts])
        self.count = int(self.starts[-1])
        self.group = -1
        self.next_row = 0
        self.cells: Iterator[pa.Scalar] = iter(())

    def images(self, ids: NDArray[np.int64]) -> Iterator[tuple[int, Named]]:
        """Each image with its position in ``ids``, in the order of the file."""
        last = -1
        for place in np.argsort(ids, kind="stable").tolist():
            row = int(ids[place])
            if row != last:
                name, cell = self._cell(row)
                image, last = (name, read_image(content_of(cell, name), name)), row
            yield place, image

    def _cell(self, row: int) -> tuple[str, pa.Scalar]:
        group = int(np.searchsorted(self.starts, row, side="right")) - 1
        shard, group_in_shard = self.groups[group]
        with reading(shard.path, FORMAT):
            if group != self.group or row < self.next_row:
                self.cells = _cells(shard, group_in_shard, self.column)
                self.group, self.next_row = group, int(self.starts[group])
            cell = next(islice(self.cells, row - self.next_row, None), None)
            self.next_row = row + 1
        if cell is None:
            raise Failed(f"{shard.path}: row group {group_in_shard} ends before its last row, damaged")
        first_of_shard = self.starts[group - group_in_shard]
        return f"{shard.path.name} row {row - first_of_shard}", cell


def _cells(shard: Shard, group: int, column: str) -> Iterator[pa.Scalar]:
    """Cells of a row group, a few at a time; the file is open while they are read."""
    with _opened(shard) as file:
        path = require_images(file.schema_arrow, column, shard.path)
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=[path], use_threads=False):
            yield from batch.column(0)


def _opened(shard: Shard) -> ParquetFile:
    return ParquetFile(shard.path, buffer_size=BUFFER_BYTES, pre_buffer=False)


@lru_cache(maxsize=10_000)
def _schema(shard: Shard) -> pa.Schema:
    with reading(shard.path, FORMAT), _opened(shard) as file:
        return file.schema_arrow


@lru_cache(maxsize=10_000)
def _row_counts(shard: Shard) -> tuple[int, ...]:
    """Rows of each row group."""
    with reading(shard.path, FORMAT), _opened(shard) as file:
        return tuple(file.metadata.row_group(group).num_rows for group in range(file.num_row_groups))


@lru_cache(maxsize=10_000)
def _labels(shard: Shard, column: str) -> pa.ChunkedArray:
    require_labels(_schema(shard), column, shard.path)
    with reading(shard.path, FORMAT), _opened(shard) as file:
        return file.read(columns=[column]).column(0)
