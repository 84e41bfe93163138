"""Command ``leaderboard``: a static site that ranks the models of many runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from evalsuite.cli.terminal import write

REPORT = Path("report") / "index.html"


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Read runs")(leaderboard)


def leaderboard(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run folders, their record.json, or latest.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where the site goes.")],
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="What ranks; else the first fid, else the first of quality.")
    ] = None,
) -> None:
    """Rank the models of many runs, with the uncertainty of their ranks; one board a protocol."""
    from evalsuite.compare.leaderboard import Result, leaderboards
    from evalsuite.files import write_atomically
    from evalsuite.pipeline.history import load_run
    from evalsuite.reports._leaderboard import site

    results = []
    for run in runs:
        record, folder = load_run(run)
        results.append(Result(folder.resolve().name, record, _link(folder, out)))
    boards = leaderboards(results, metric)
    for name, content in site(boards).items():
        write_atomically(out / name, content)
    for number, board in enumerate(boards, start=1):
        write(f"board {number}: {len(board.entries)} entries, best {board.entries[0].model}\n")
    write(f"{out / 'index.html'}\n")


def _link(folder: Path, out: Path) -> str:
    """The report of a run as an address relative to the site; "" where it has none."""
    report = folder / REPORT
    return quote(os.path.relpath(report.resolve(), out.resolve())) if report.is_file() else ""
