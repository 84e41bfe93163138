"""Commands on baselines: ``baseline save``, ``list``, ``show``, ``verify``, ``diff``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evalsuite.cli.reading import BaselinesOption, JsonOption, RunArgument
from evalsuite.cli.terminal import complain, show, show_json, write
from evalsuite.errors import RecordError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from evalsuite.compare.baseline import Baseline
    from evalsuite.records import Measurement, Scalar

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As main, or quickstart/main.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(help="Keep a run's numbers for later runs to be compared with.", no_args_is_help=True)
    for name, command in (
        ("save", save),
        ("list", list_baselines),
        ("show", show_baseline),
        ("verify", verify),
        ("diff", diff),
    ):
        group.command(name)(command)
    app.add_typer(group, name="baseline", rich_help_panel="Read runs")


def save(
    run: RunArgument,
    name: Annotated[str, typer.Option(help="What gates call it, as in against: baseline:main.")] = "main",
    baselines: BaselinesOption = None,
) -> None:
    """Keep a run's numbers, with what a later paired comparison needs."""
    from evalsuite.compare import baseline
    from evalsuite.pipeline.history import load_checked_run

    record, _ = load_checked_run(run)
    for path in baseline.save(record, name, baselines or baseline.BASELINES):
        write(f"{path}\n")


def list_baselines(baselines: BaselinesOption = None) -> None:
    """List the baselines there are; one that cannot be read is named with the reason."""
    from rich.table import Table

    from evalsuite.cli.wording import size
    from evalsuite.compare.baseline import BASELINES, load, paths

    table = Table(box=None)
    for column in ("baseline", "commit", "values", "size", "processor"):
        table.add_column(column)
    for path in paths(baselines or BASELINES):
        name = f"{path.parent.name}/{path.stem}"
        try:
            found = load(path)
        except RecordError as error:
            table.add_row(name, "cannot be read")
            complain(str(error))
            continue
        bytes_ = sum(part.stat().st_size for part in (path, path.with_suffix(".safetensors")))
        processor = str(found.environment.get("processor", ""))
        table.add_row(name, found.commit[:8], str(len(found.measurements)), size(bytes_), processor)
    show(table)


def show_baseline(name: NameArgument, baselines: BaselinesOption = None, as_json: JsonOption = False) -> None:
    """Show what a baseline holds: where it comes from, and its values."""
    found = _load(name, baselines)
    if as_json:
        show_json(found.model_dump(mode="json"))
        return
    origin = {"suite": found.suite, "suite_hash": found.suite_hash, "commit": found.commit or "not noted"}
    show(_facts({**origin, **found.environment}), _values(found.measurements))


def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Which; else all of them.")] = None,
    baselines: BaselinesOption = None,
) -> None:
    """Check that baselines are whole and as they were written."""
    from evalsuite.compare.baseline import BASELINES, load, path_of, paths

    folder = baselines or BASELINES
    chosen = [path_of(name, folder) for name in names] if names else paths(folder)
    if not chosen:
        raise UsageError(f"found no baseline in {folder}/, expected one; make it with: evalsuite baseline save RUN")
    broken = []
    for path in chosen:
        try:
            load(path)
            write(f"ok      {path}\n")
        except RecordError as error:
            write(f"broken  {path}\n")
            broken.append(str(error))
    if broken:
        raise RecordError("\n".join(broken))


def diff(
    baseline: NameArgument,
    other: Annotated[str, typer.Argument(metavar="NAME|RUN", help="Another baseline, a run's folder, or latest.")],
    baselines: BaselinesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what changed from a baseline to another, or to a run, and whether the change is real."""
    from evalsuite.compare.baseline_changes import changes_between

    found = changes_between(_load(baseline, baselines), _load_any(other, baselines), baseline)
    if as_json:
        show_json(
            {
                "facts": {name: list(sides) for name, sides in found.facts.items()},
                "comparisons": [comparison.model_dump(mode="json") for comparison in found.comparisons],
                "gone": [list(identity) for identity in found.gone],
                "new": [list(identity) for identity in found.new],
            }
        )
        return
    from evalsuite.cli.tables import differences

    if found.facts:
        show(_facts({name: f"{before} -> {after}" for name, (before, after) in found.facts.items()}))
    show(*differences(found.comparisons))
    for word, identities in (("gone", found.gone), ("new", found.new)):
        for identity in identities:
            write(f"{word}: {identity}\n")


def _facts(facts: Mapping[str, Scalar]) -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value is not None:
            table.add_row(name, str(value))
    return table


def _values(measurements: Sequence[Measurement]) -> Table:
    """One row a value."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from evalsuite.compare.wording import between, quantity

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("metric", "of", "value", "", "n"):
        table.add_column(column)
    for one in measurements:
        interval = between(one.interval, one.unit) if one.interval else ""
        table.add_row(*map(Text, (one.name, one.case_key, quantity(one.value, one.unit), interval, str(one.n))))
    return table


def _load(name: str, folder: Path | None) -> Baseline:
    from evalsuite.compare.baseline import BASELINES, load, path_of

    return load(path_of(name, folder or BASELINES))


def _load_any(name: str, folder: Path | None) -> Baseline:
    """A baseline of that name, or else a run as one."""
    from evalsuite.compare.baseline import Baseline
    from evalsuite.pipeline.history import LATEST, load_checked_run

    if name == LATEST or Path(name).exists():
        return Baseline.of(load_checked_run(name)[0])
    return _load(name, folder)
