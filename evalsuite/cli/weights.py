"""Commands ``weights list`` and ``weights fetch``: public networks that extractors and metrics need."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from evalsuite.cli.terminal import console_on, show, write


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    weights = typer.Typer(help="Get the weights of public networks, when you say so.", no_args_is_help=True)
    weights.command("list")(list_weights)
    weights.command("fetch")(fetch_weights)
    app.add_typer(weights, name="weights", rich_help_panel="Look around")


def list_weights() -> None:
    """Say which public weights there are, what needs them, and which lie in the weights folder."""
    from rich.table import Table

    from evalsuite.cli.wording import size
    from evalsuite.weights import PUBLIC, folder

    table = Table(box=None)
    for column in ("name", "here", "size", "licence", "for"):
        table.add_column(column)
    for name, public in PUBLIC.items():
        here = "yes" if (folder() / public.filename).is_file() else "no"
        table.add_row(name, here, size(public.bytes), public.licence, public.used_for)
    show(table, f"weights folder: {folder()} (EVALSUITE_WEIGHTS changes it)")


def fetch_weights(name: Annotated[str, typer.Argument(help="As `evalsuite weights list` says.")]) -> None:
    """Download public weights into the weights folder, and check their SHA-256."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from evalsuite.weights import fetch

    console = console_on(sys.stderr)
    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(name, total=None)
        path = fetch(name, lambda done, total: progress.update(bar, completed=done, total=total))
    write(f"{path}\n")
