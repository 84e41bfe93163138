"""Every exception that evalsuite raises on purpose.

EvalsuiteError
|-- UsageError            a command or call that makes no sense (exit code 2)
|   |-- SuiteError        problems of a suite file, all of them at once
|   |-- RecordError       a run folder, baseline or record that cannot be read
|   `-- UnknownNameError  a name that no plug-in has
|-- StoreError            the cache or the run folder cannot be written or read (exit code 4)
|-- CellError             one cell of the table has no number; becomes a `Missing`
|   |-- Skipped           it makes no sense for this model, slice or sample count
|   |-- Unavailable       this machine lacks a device, a package or weights
|   `-- Failed            it was tried and went wrong (exit code 4)
`-- Interrupted           stopped by the user; the message says how to go on (exit code 130)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


class EvalsuiteError(Exception):
    """Base of all errors. ``str(error)`` is a sentence for the user; ``exit_code`` is that of the command."""

    exit_code: int = 4


class UsageError(EvalsuiteError):
    """What was asked for makes no sense; nothing was done."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One mistake in a file.

    Attributes:
        file: path as the user gave it.
        line: from 1; 0 where the whole file is meant.
        column: from 1; 0 where the whole line is meant.
        where: the key path, like ``models.teacher.num_steps``; may be empty.
        found: what stands there.
        expected: what should stand there.
        hint: what to try; may be empty.
    """

    file: str
    line: int
    column: int
    where: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "") + (f":{self.column}" if self.column else "")
        where = f" {self.where}:" if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}:{where} found {self.found}, expected {self.expected}{hint}"


class SuiteError(UsageError):
    """All problems of a suite file at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RecordError(UsageError):
    """A saved record cannot be read: missing, damaged, or of a format version that this evalsuite does not know."""


class UnknownNameError(UsageError):
    """No plug-in of that name; the message offers the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        super().__init__(f"unknown {kind} {name!r}; {nearest(name, self.known)}")


class StoreError(EvalsuiteError):
    """The cache or the run folder cannot be used: read-only, full, or not a folder."""


class CellError(EvalsuiteError):
    """One cell has no number; the run goes on and records a `Missing` of this kind with the message as its reason."""

    kind: Literal["skipped", "unavailable", "failed"] = "failed"


class Skipped(CellError):
    """The cell makes no sense: a guidance slice for a model without guidance, Fréchet on too few samples."""

    kind = "skipped"


class Unavailable(CellError):
    """This machine lacks what the cell needs: a device, an optional package, weights."""

    kind = "unavailable"


class Failed(CellError):
    """The cell was tried and went wrong: a crash, a time-out, wrong output."""

    kind = "failed"


class Interrupted(EvalsuiteError):
    """The user stopped the run; what is finished is kept."""

    exit_code = 130


def with_article(noun: str) -> str:
    """``a metric``, ``an extractor``."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message: ``did you mean 'fid'?``, or the list of what there is."""
    candidates = sorted(known)
    close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(candidates)}" if candidates else "there are none"
