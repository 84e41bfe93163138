"""Arrow columns of images and labels, as Parquet files and saved datasets have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from evalsuite.datasets._classes import Classes, named, numbered
from evalsuite.errors import Failed, nearest


def require_images(schema: pa.Schema, column: str, place: Path) -> str:
    """The path of the bytes within a schema: ``image``, or ``image.bytes`` in the form that Hugging Face writes.

    Raises:
        Failed: there is no such column, or it holds no bytes.
    """
    kind = _require(schema, column, place).type
    if _is_bytes(kind):
        return column
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0 and _is_bytes(kind.field("bytes").type):
        return f"{column}.bytes"
    raise Failed(
        f"{place}: column {column!r} holds {kind}, expected encoded images: bytes, or a struct with a field bytes; "
        f"set image to the column that has them"
    )


def require_labels(schema: pa.Schema, column: str, place: Path) -> None:
    """Check that a column can be labels.

    Raises:
        Failed: there is no such column, or it holds neither whole numbers nor text.
    """
    kind = _values(_require(schema, column, place).type)
    if not (pa.types.is_integer(kind) or _is_text(kind)):
        raise Failed(f"{place}: column {column!r} holds {kind}, expected labels: whole numbers or text")


def content_of(cell: pa.Scalar, name: str) -> bytes:
    """The encoded image in a cell.

    Raises:
        Failed: there is none.
    """
    value = cell.as_py()
    content = value["bytes"] if isinstance(value, dict) else value
    if content is None:
        raise Failed(f"{name}: found no bytes, expected an encoded image; images outside of the file are not read")
    return bytes(content)


def classes_of(labels: pa.ChunkedArray, names: tuple[str, ...], place: Path) -> Classes:
    """Classes of a column that ``require_labels`` let pass.

    Args:
        names: as ``declared_names`` found them.

    Raises:
        Failed: a label is missing or out of range.
    """
    if labels.null_count:
        position = int(np.flatnonzero(labels.is_null().to_numpy())[0])
        raise Failed(f"{place}: found no label at image {position}, expected one for every image")
    if _is_text(_values(labels.type)):
        return named(labels.to_pylist())
    return numbered(place, labels.to_numpy(), names)


def declared_names(schema: pa.Schema, column: str) -> tuple[str, ...]:
    """Names of the classes where the file's metadata declare the column a ``ClassLabel``, as Hugging Face writes it."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        names: Any = features[column]["names"]
    except (KeyError, ValueError, TypeError, RecursionError):  # metadata are anyone's, and names are optional
        return ()
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def _require(schema: pa.Schema, column: str, place: Path) -> pa.Field:
    count = schema.names.count(column)
    if count == 0:
        raise Failed(f"{place}: found no column {column!r}; {nearest(column, schema.names)}")
    if count > 1:
        raise Failed(f"{place}: found {count} columns {column!r}, expected one")
    return schema.field(column)


def _values(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
