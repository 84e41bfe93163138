"""Commands about what there is: ``list``, ``runs``, ``cache``, ``schema``, ``init``, ``doctor``."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from evalsuite.cli.terminal import show, show_json, write
from evalsuite.errors import UsageError
from evalsuite.plugins import Room

if TYPE_CHECKING:
    from evalsuite.store import Store

CacheOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The cache; else $EVALSUITE_CACHE, else the user's cache folder.")
]


class Listed(StrEnum):
    """What `evalsuite list` can list, and the room it is in."""

    MODELS = "models"
    METRICS = "metrics"
    SLICES = "slices"
    TARGETS = "targets"
    EXTRACTORS = "extractors"
    DATASETS = "datasets"
    PROMPTS = "prompts"

    @property
    def room(self) -> Room:
        room = "features" if self is Listed.EXTRACTORS else self.value
        return next(known for known in get_args(Room) if known == room)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    runs = typer.Typer(help="Find earlier runs.", no_args_is_help=True)
    runs.command("list")(list_runs)
    runs.command("latest")(latest_run)
    cache = typer.Typer(help="Look after the cache of samples, features and numbers.", no_args_is_help=True)
    cache.command("size")(cache_size)
    cache.command("prune")(cache_prune)
    panel = "Look around"
    app.command("list", rich_help_panel=panel)(list_plugins)
    app.add_typer(runs, name="runs", rich_help_panel=panel)
    app.add_typer(cache, name="cache", rich_help_panel=panel)
    for command in (schema, init):
        app.command(rich_help_panel=panel)(command)


def list_plugins(kind: Annotated[Listed, typer.Argument(help="What to list.")]) -> None:
    """List what a suite can name: metrics with direction, unit and paper, the rest with one line about each."""
    from rich.table import Table

    from evalsuite.plugins import find, names

    table = Table.grid(padding=(0, 2))
    for name in names(kind.room):
        plugin = find(kind.room, name)
        if kind is Listed.METRICS:
            better = "higher is better" if plugin.higher_is_better else "lower is better"
            table.add_row(name, better, plugin.unit, plugin.paper)
        else:
            table.add_row(name, first_line(plugin))
    if kind is Listed.MODELS:
        from evalsuite.models.zoo import checkpoint

        table.add_row()
        for name in checkpoint.names():
            table.add_row(name, "a bundled model: {adapter: zoo, name: " + name + "}")
    show(table)


def first_line(plugin: type) -> str:
    """The first line of a plug-in's own docstring, without a reference to other docstrings."""
    return re.split(r"[;,] see :", (plugin.__doc__ or "").strip().partition("\n")[0])[0]


def list_runs() -> None:
    """List the finished runs below runs/, newest first."""
    from evalsuite.pipeline.history import finished_runs

    for folder in finished_runs():
        write(f"{folder}\n")


def latest_run() -> None:
    """Print the folder of the newest finished run."""
    from evalsuite.pipeline.history import LATEST, run_folder

    write(f"{run_folder(LATEST)}\n")


def cache_size(cache: CacheOption = None) -> None:
    """Say where the cache is and how much it holds."""
    from rich.table import Table

    from evalsuite.cli.wording import size

    store = _store(cache)
    rooms = store.size()
    table = Table.grid(padding=(0, 2))
    for room in rooms:
        table.add_row(room.room, f"{room.entries} entries", size(room.bytes))
    show(f"{store.root}: {size(sum(room.bytes for room in rooms))}", table)


def cache_prune(
    cache: CacheOption = None,
    older_than: Annotated[
        float | None, typer.Option("--older-than", min=0, metavar="DAYS", help="Remove what was not used for so long.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option("--max-size", metavar="SIZE", help="Then the longest unused, down to a size: 2 GB.")
    ] = None,
) -> None:
    """Remove what was not used for long; what is needed again is made again."""
    from evalsuite.cli.wording import size
    from evalsuite.settings import parse_bytes

    if older_than is None and max_size is None:
        raise UsageError("found neither --older-than nor --max-size, expected one or both; all of it: --max-size 0")
    try:
        limit = None if max_size is None else parse_bytes(max_size)
    except ValueError as error:
        raise UsageError(f"--max-size: found {max_size!r}: {error}") from error
    freed = _store(cache).prune(None if older_than is None else older_than * 86400, limit)
    write(f"freed {size(freed)}\n")


def schema() -> None:
    """Print the JSON Schema of suite files, for editors."""
    from evalsuite.suite.json_schema import json_schema

    show_json(json_schema())


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("suite.yaml"),
) -> None:
    """Write a commented suite to start from."""
    from evalsuite.suite.template import TEMPLATE

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already, and is left as it is; choose another name") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    write(f"wrote {path}; next: evalsuite validate {path}\n")


def _store(cache: Path | None) -> Store:
    from evalsuite.store import Store

    return Store(cache)
