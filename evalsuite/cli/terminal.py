"""Where the command line writes: results to stdout, everything about the work to stderr; colours only on a terminal."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH = 160
"""Columns of a table that goes into a file or another program, where nobody's window sets them."""


def console_on(stream: TextIO) -> Console:
    """A console as wide as the terminal; where there is none, wide enough for the tables and without colours."""
    from rich.console import Console

    fixed = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=fixed, highlight=False)


def write(text: str) -> None:
    """Text to stdout; a reader that has gone (``| head``) ends the program without a word."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more when it ends; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None


def show(*parts: RenderableType) -> None:
    """Texts and tables to stdout."""
    console = console_on(sys.stdout)
    with console.capture() as captured:
        for part in parts:
            console.print(part, markup=False)
    write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def show_json(document: Any) -> None:
    """One JSON document to stdout."""
    write(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def complain(message: str) -> None:
    """An error message to stderr."""
    sys.stderr.write(f"evalsuite: {message}\n")
