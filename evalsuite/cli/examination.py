"""What ``evalsuite doctor`` looks at: the machine, the cache, and every plug-in that may lack something here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from evalsuite.cli.wording import size
from evalsuite.errors import CellError, StoreError
from evalsuite.files import write_atomically
from evalsuite.pipeline.environment import describe_machine
from evalsuite.plugins import Room, find, names
from evalsuite.store import Store

BUSY_SHARE = 0.5
"""Load per core above which timings are noisy."""


def examine(store: Store) -> Iterator[Table]:
    """One table a subject."""
    yield _table("machine", [(key, str(value)) for key, value in describe_machine().items()])
    yield _table("state", [("load", _load()), ("cache", _cache(store))])
    yield _table("targets", [(name, _target(find("targets", name)())) for name in names("targets")])
    yield _table("extractors", _plugins("features"))
    yield _table("datasets", _plugins("datasets"))


def _table(title: str, rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    for name, finding in rows:
        table.add_row(f"  {name}", Text(finding))
    return table


def _load() -> str:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    advice = "; other work runs here, so timings will be noisy" if load > BUSY_SHARE * cores else ""
    return f"{load:.1f} on {cores} cores{advice}"


def _cache(store: Store) -> str:
    """Whether it can be written, found out by writing."""
    probe = store.root / ".writable"
    try:
        write_atomically(probe, b"")
        probe.unlink()
    except (StoreError, OSError) as error:
        return f"{store.root}: {error}; choose another with --cache or EVALSUITE_CACHE"
    return f"{store.root}: {size(_free_bytes(store.root))} free"


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _target(target: Any) -> str:
    return target.unavailable_reason() or "available"


def _plugins(room: Room) -> list[tuple[str, str]]:
    return [(name, _usable(find(room, name))) for name in names(room)]


def _usable(plugin: Any) -> str:
    """Whether its files and packages are there: only then does it have a fingerprint."""
    required = [name for name, field in plugin.model_fields.items() if field.is_required()]
    if required:
        return f"needs settings: {', '.join(required)}"
    try:
        plugin().fingerprint()
    except CellError as error:
        return f"unavailable: {error}"
    return "available"
