"""The content-addressed cache: checksummed chunks of arrays that processes may share and that a crash cannot spoil.

An entry is one file, ``<root>/<room>/<key>``: the SHA-256 of what follows, then a safetensors file. Rooms in use are
``samples``, ``flags``, ``features``, ``measurements`` and ``timings``; keys hold everything that can change the
content, so an entry is never updated, only written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import StoreError
from evalsuite.files import write_atomically

_DIGEST_BYTES = 32
_DOCUMENT = "document"
_ABANDONED_S = 3600.0
_ADVICE = "free space there, or choose another folder with --cache or EVALSUITE_CACHE"


def default_root() -> Path:
    """``$EVALSUITE_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("EVALSUITE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("evalsuite"))


@dataclass(frozen=True)
class StoreSize:
    """What one room of a store holds."""

    room: str
    entries: int
    bytes: int


class Store:
    """A folder of entries; see the module.

    Keys are relative paths of hashes and plain words, such as ``<samples_key>/0-64``. Picklable.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = default_root() if root is None else Path(root).absolute()

    def read(self, room: str, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays of an entry; None if there is none, or it was damaged (it is discarded then).

        Raises:
            StoreError: the folder cannot be read.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        packed = self._verified(room, key)
        if packed is None:
            return None
        try:
            return dict(load(packed[_DIGEST_BYTES:]))
        except SafetensorError:
            self._discard(self._path(room, key))
            return None

    def write(self, room: str, key: str, arrays: Mapping[str, NDArray[Any]]) -> str:
        """Keep arrays under a key, wholly or not at all; the digest of the entry, as hex.

        Raises:
            StoreError: the folder is read-only or the disk full; says what to try.
        """
        from safetensors.numpy import save

        packed = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
        digest = hashlib.sha256(packed)
        try:
            write_atomically(self._path(room, key), digest.digest() + packed)
        except StoreError as error:
            raise StoreError(f"the cache cannot take a result: {error}; {_ADVICE}") from error
        return digest.hexdigest()

    def require_writable(self) -> None:
        """Find out before hours of work that nothing could be kept.

        Raises:
            StoreError: the folder is read-only or the disk full; says what to try.
        """
        probe = self.root / f".writable-{os.getpid()}"
        try:
            write_atomically(probe, b"evalsuite")
            probe.unlink(missing_ok=True)
        except (StoreError, OSError) as error:
            raise StoreError(f"the cache cannot be written: {error}; {_ADVICE}") from error

    def digest(self, room: str, key: str) -> str | None:
        """SHA-256 of an entry's content, checked now; None if it is absent or was damaged (it is discarded then)."""
        packed = self._verified(room, key)
        return None if packed is None else packed[:_DIGEST_BYTES].hex()

    def read_document(self, room: str, key: str) -> tuple[Any, dict[str, NDArray[Any]]] | None:
        """A JSON value and the arrays kept with it, or None as in `read`."""
        arrays = self.read(room, key)
        if arrays is None or _DOCUMENT not in arrays:
            return None
        return json.loads(arrays.pop(_DOCUMENT).tobytes()), arrays

    def write_document(
        self, room: str, key: str, document: Any, arrays: Mapping[str, NDArray[Any]] | None = None
    ) -> None:
        """Keep a JSON value, and arrays with it, under a key.

        Raises:
            StoreError: as in `write`.
        """
        text = json.dumps(document, ensure_ascii=False).encode()
        self.write(room, key, {**(arrays or {}), _DOCUMENT: np.frombuffer(text, np.uint8)})

    def forget(self, room: str, prefix: str) -> None:
        """Remove every entry whose key begins with ``prefix/``: what must not outlive a run."""
        for path in _entries(self._path(room, prefix)):
            self._discard(path)

    def size(self) -> list[StoreSize]:
        """Entries and bytes by room, in the order of their names."""
        rooms = sorted(path for path in self.root.iterdir() if path.is_dir()) if self.root.is_dir() else []
        return [self._size_of(room) for room in rooms]

    def prune(self, older_than_s: float | None = None, max_bytes: int | None = None) -> int:
        """Remove entries not used for so long, then the longest unused until the store fits; the bytes freed."""
        known = sorted((_last_used(path), path.stat().st_size, path) for path in _entries(self.root))
        total, freed, now = sum(size for _, size, _ in known), 0, time.time()
        self._discard_abandoned(now)
        for used, size, path in known:
            too_old = older_than_s is not None and now - used > older_than_s
            too_much = max_bytes is not None and total - freed > max_bytes
            if too_old or too_much:
                self._discard(path)
                freed += size
        return freed

    def _path(self, room: str, key: str) -> Path:
        return self.root / room / key[:2] / key

    def _verified(self, room: str, key: str) -> bytes | None:
        path = self._path(room, key)
        try:
            packed = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(
                f"the cache cannot be read: {path}: {error.strerror}; choose another with --cache"
            ) from error
        if hashlib.sha256(packed[_DIGEST_BYTES:]).digest() != packed[:_DIGEST_BYTES]:
            self._discard(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return packed

    def _discard_abandoned(self, now: float) -> None:
        """Temporary files of processes that were killed while they wrote."""
        for path in self.root.rglob("*.part"):
            if now - _last_used(path) > _ABANDONED_S:
                self._discard(path)

    @staticmethod
    def _discard(path: Path) -> None:
        with contextlib.suppress(OSError):
            path.unlink()

    @staticmethod
    def _size_of(room: Path) -> StoreSize:
        sizes = [path.stat().st_size for path in _entries(room)]
        return StoreSize(room.name, len(sizes), sum(sizes))


def _entries(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part"))


def _last_used(path: Path) -> float:
    return path.stat().st_mtime
