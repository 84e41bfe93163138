"""Files and keys: whole files or none, checked arrays, and the one JSON text of a value."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from evalsuite.errors import RecordError, StoreError


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits.

    It is hashed once a process for each state of the file: weights are large, and a run asks often.

    Raises:
        OSError: it cannot be read.
    """
    state = path.stat()
    return _sha256_in_state(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1_000_000)
def _sha256_in_state(path: Path, modified_ns: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a record's file.

    Raises:
        RecordError: the file cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror or error}; expected the record of a run") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise RecordError(f"{path}: not a run record: found {type(content).__name__}, expected an object")
    return content


def read_arrays(path: Path, sha256: str | None) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file by name.

    Raises:
        RecordError: the file cannot be read, or its SHA-256 is not the expected one.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        packed = path.read_bytes()
        if hashlib.sha256(packed).hexdigest() != sha256:
            raise RecordError(f"{path}: its checksum is not the one in the record; it was changed or cut short")
        return dict(load(packed))
    except FileNotFoundError as error:
        raise RecordError(f"{path}: cannot be read: there is no such file, and the JSON beside it needs it") from error
    except (OSError, SafetensorError) as error:
        raise RecordError(f"{path}: cannot be read: {error}") from error


def canonical_json(content: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, no NaN."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def content_key(content: Any) -> str:
    """SHA-256 of a JSON value, as a hex string: the key under which a result is stored."""
    return hashlib.sha256(canonical_json(content)).hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write under a temporary name, then rename, so that a reader sees the whole file or none.

    Raises:
        StoreError: the file cannot be written; says whether the disk is full or the folder read-only.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
