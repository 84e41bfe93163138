"""The files that a dataset lies in: which they are, and what is known of each for as long as it stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from evalsuite import files
from evalsuite.errors import CellError, Failed, Unavailable


class Shard(NamedTuple):
    """A file in its present state: the key under which a process keeps what it found in it.

    Attributes:
        path: where it lies.
        modified_ns: when it was last written.
        size: in bytes.
    """

    path: Path
    modified_ns: int
    size: int


def find_shards(path: Path, pattern: str) -> tuple[Shard, ...]:
    """The file itself, or the files of a folder in the order of their names; hidden ones are left out.

    Args:
        pattern: which files of a folder are meant, as ``train-*.parquet``.

    Raises:
        Unavailable: there is no such file or folder, or no such file in the folder.
    """
    if path.is_file():
        return (shard(path),)
    if not path.is_dir():
        raise Unavailable(f"{path} does not exist; expected a file, or a folder of files {pattern}")
    visible = (file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    names = sorted(file.name for file in visible if fnmatchcase(file.name, pattern))
    if not names:
        raise Unavailable(
            f"{path} has no file {pattern}; set path to the folder that has them, or pattern to their names"
        )
    return tuple(shard(path / name) for name in names)


def shard(path: Path) -> Shard:
    """Look at a file's state.

    Raises:
        Unavailable: it cannot be looked at.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror or error}") from error
    return Shard(path, state.st_mtime_ns, state.st_size)


def sha256_of(shard: Shard) -> str:
    """SHA-256 of the content, 64 hexadecimal digits.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        return files.sha256_of(shard.path)
    except OSError as error:
        raise Unavailable(f"{shard.path}: cannot be read: {error.strerror or error}") from error


@contextmanager
def reading(path: Path, format_name: str) -> Iterator[None]:
    """Whatever a library meets in a damaged file becomes one kind of error.

    Raises:
        Failed: names the file and what is wrong with it.
    """
    try:
        yield
    except CellError:
        raise
    except Exception as error:  # of a damaged file, whatever the decoder met
        raise Failed(f"{path}: cannot be read as {format_name}, damaged: {error}") from error
