"""Command ``doctor``: what this machine can measure, and what is missing for the rest."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from evalsuite.cli.measuring import CacheOption, JsonOption
from evalsuite.cli.terminal import show, show_json

if TYPE_CHECKING:
    from rich.table import Table

    from evalsuite.pipeline.doctor import Section

BROKEN = 4
"""Exit code where nothing can be measured: as of a run whose cells all failed."""

MARKS = {"good": ("✓", "green"), "limited": ("~", "yellow"), "missing": ("–", "dim"), "broken": ("✗", "bold red")}


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Look around")(doctor)


def doctor(cache: CacheOption = None, as_json: JsonOption = False) -> None:
    """Say what this machine can measure, and what is missing for the rest."""
    from evalsuite.pipeline.doctor import examine, is_broken
    from evalsuite.store import Store

    sections = examine(Store(cache))
    if as_json:
        show_json({section.title: [asdict(check) for check in section.checks] for section in sections})
    else:
        show(*map(_table, sections), f"{'  '.join(f'{mark} {state}' for state, (mark, _) in MARKS.items())}")
    if is_broken(sections):
        raise typer.Exit(BROKEN)


def _table(section: Section) -> Table:
    """A line a check; below it, in a line of its own, what to do or what it means."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.title, table.title_justify, table.title_style = section.title, "left", "bold"
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for check in section.checks:
        mark, style = MARKS[check.state]
        text = Text(check.finding)
        if check.advice:
            text.append(f"\n{check.advice}", style="dim")
        table.add_row(Text(f"  {mark}", style=style), Text(check.name), text)
    return table
