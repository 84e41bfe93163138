"""The command ``evalsuite``: its groups of commands, and what becomes of an error.

Everything heavy is imported inside the commands, so that ``evalsuite --help`` answers at once.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from typing import Annotated

import typer

from evalsuite.cli import (
    authoring,
    baseline,
    bisection,
    direct,
    doctor,
    drift,
    exporting,
    history,
    housekeeping,
    leaderboard,
    measuring,
    profiling,
    reading,
    weights,
)
from evalsuite.cli.terminal import complain, write
from evalsuite.errors import EvalsuiteError

INTERNAL_ERROR = 70
"""Exit code of a defect in evalsuite itself: ``EX_SOFTWARE`` of sysexits.h, clear of all documented codes."""

app = typer.Typer(
    name="evalsuite",
    help="Evaluate diffusion models: a teacher, its distilled students, and whether a difference between them is real.",
    epilog="Exit codes: 0 pass, 1 regression, 2 usage or suite error, 3 inconclusive, 4 failed cells, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        write(f"evalsuite {version('evalsuite')}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before any command."""


measuring.register(app)
profiling.register(app)
bisection.register(app)
direct.register(app)
drift.register(app)
authoring.register(app)
reading.register(app)
baseline.register(app)
history.register(app)
leaderboard.register(app)
exporting.register(app)
housekeeping.register(app)
doctor.register(app)
weights.register(app)


def main() -> None:
    """Run the command line and leave with its exit code; an error is one message on stderr, never a traceback."""
    try:
        app()
    except EvalsuiteError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except Exception as error:
        with tempfile.NamedTemporaryFile(
            "w", prefix="evalsuite-", suffix=".log", delete=False, encoding="utf-8"
        ) as log:
            traceback.print_exc(file=log)
        complain(f"a defect in evalsuite: {type(error).__name__}: {error}\nThe traceback is in {log.name}")
        sys.exit(INTERNAL_ERROR)
