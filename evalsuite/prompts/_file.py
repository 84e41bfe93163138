"""What prompt sets in a file share: bounded reading line by line, and the rules for a prompt and its attributes."""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from evalsuite.errors import Failed, Problem, Unavailable
from evalsuite.files import canonical_json
from evalsuite.settings import Settings, SuitePath

MAX_PROMPTS = 1_000_000
MAX_CHARACTERS = 10_000
"""Of a prompt; text encoders read some hundreds."""

MAX_LINE_BYTES = 1 << 20
"""A line is in memory whole, and other files than text may have no line ends at all."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls, and halves of surrogate pairs, which UTF-8 cannot hold."""


class Row(NamedTuple):
    """A prompt as it stands in a file.

    Attributes:
        line: from 1.
        text: the prompt.
        values: of each column that has any.
    """

    line: int
    text: str
    values: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True)
class Prompts:
    """The content of a file; see :class:`evalsuite.prompts.contract.PromptSet`."""

    texts: tuple[str, ...]
    attributes: Mapping[str, tuple[tuple[str, ...], ...]]

    @cached_property
    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for i, text in enumerate(self.texts):
            values = {column: rows[i] for column, rows in self.attributes.items() if rows[i]}
            digest.update(canonical_json([text, values]) + b"\n")
        return digest.hexdigest()


class PromptFile(Settings):
    """Prompts in a file; a class derived from it says how its rows are written.

    Attributes:
        path: the file.
        licence: SPDX identifier or name, for the record.
        source: where the prompts come from, for the record.
    """

    path: SuitePath
    licence: str = "unknown"
    source: str = "a local file"

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """The prompts as they are written, unchecked.

        Raises:
            Failed: the file is not of this kind.
        """

    def fingerprint(self) -> str:
        """SHA-256 over texts and attributes in their order, whatever kind of file they lie in."""
        return self._content().fingerprint

    def texts(self) -> tuple[str, ...]:
        """The prompts, without white space around them.

        Raises:
            Unavailable: there is no such file, or it cannot be read.
            Failed: it is not of this kind, has no prompt or too many, or one that is empty, too long or not plain text.
        """
        return self._content().texts

    def attributes(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """By column, each prompt's values; columns without any are left out.

        Raises:
            Unavailable, Failed: as for ``texts``.
        """
        return self._content().attributes

    def _content(self) -> Prompts:
        try:
            state = self.path.stat()
        except OSError as error:
            raise Unavailable(f"{self.path}: {error.strerror or error}; set path to a file of prompts") from error
        return _read(self, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(prompts: PromptFile, modified_ns: int, size: int) -> Prompts:
    """Read once a process for each state of the file, since a run asks often."""
    texts: list[str] = []
    columns: dict[str, dict[int, tuple[str, ...]]] = {}
    for row in prompts.rows():
        if len(texts) == MAX_PROMPTS:
            raise fault(prompts.path, row.line, "another prompt", f"at most {MAX_PROMPTS:,}", "take a part of them")
        for column, values in _attributes(prompts.path, row):
            columns.setdefault(column, {})[len(texts)] = values
        texts.append(_prompt(prompts.path, row))
    if not texts:
        raise fault(prompts.path, 0, "no prompt", "at least one")
    attributes = {column: tuple(values.get(i, ()) for i in range(len(texts))) for column, values in columns.items()}
    return Prompts(tuple(texts), attributes)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a UTF-8 file with their numbers from 1, each with its line end; a byte order mark is left out.

    Only a line feed ends a line: other marks that Unicode knows may stand in a prompt or a quoted field.

    Raises:
        Unavailable: it cannot be read.
        Failed: it is not UTF-8, or a line is longer than 1 MiB.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise fault(path, number, "a line of more than 1 MiB", "lines of text")
                yield number, _decoded(path, number, line)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror or error}; set path to a file of prompts") from error


def fault(path: Path, line: int, found: str, expected: str, hint: str = "") -> Failed:
    """The error of a line; line 0 is the whole file."""
    return Failed(str(Problem(str(path), line, 0, "", found, expected, hint)))


def _decoded(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{line[error.start]:02x} at position {error.start + 1}"
        raise fault(path, number, found, "text in UTF-8", "save it as UTF-8") from error


def _prompt(path: Path, row: Row) -> str:
    text = _plain(path, row.line, "", row.text)
    if not text:
        raise fault(path, row.line, "an empty prompt", "a text", "leave the line out")
    if len(text) > MAX_CHARACTERS:
        raise fault(path, row.line, f"a prompt of {len(text):,} characters", f"at most {MAX_CHARACTERS:,}")
    return text


def _attributes(path: Path, row: Row) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Columns that have a value here, each value once; white space within a value counts as one space."""
    for column, values in row.values.items():
        texts = (_plain(path, row.line, f"in column {column!r} ", " ".join(value.split())) for value in values)
        kept = tuple(dict.fromkeys(text for text in texts if text))
        if kept:
            yield _plain(path, row.line, "in the name of a column ", column), kept


def _plain(path: Path, line: int, where: str, text: str) -> str:
    """The text without white space around it.

    Raises:
        Failed: there are characters inside that no one can see or no file can hold.
    """
    text = text.strip()
    strange = _CONTROL.search(text)
    if strange:
        found = f"{where}the control character U+{ord(strange[0]):04X}"
        raise fault(path, line, found, "text in a single line", "replace it with a space")
    return text
