"""Commands on values over commits: ``history add``, ``history show``, ``history drift``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evalsuite.cli.terminal import complain, show, show_json, write
from evalsuite.errors import UsageError

if TYPE_CHECKING:
    from evalsuite.history.points import Commit
    from evalsuite.history.store import History, Series

DRIFTED = 1
"""Exit code of ``history drift --fail`` where something drifted, and not for the better."""

StoreOption = Annotated[
    str,
    typer.Option(
        metavar="PLACE", envvar="EVALSUITE_HISTORY", help="A SQLite file, or postgresql://USER@HOST/DATABASE."
    ),
]
SuiteOption = Annotated[str | None, typer.Option(metavar="NAME", help="Which suite; else the only one there is.")]
MetricOption = Annotated[str, typer.Option(metavar="GLOB", help="Which metrics; * matches anything.")]
ModelOption = Annotated[str, typer.Option(metavar="GLOB", help="Which models.")]
TargetOption = Annotated[str, typer.Option(metavar="GLOB", help="Which targets.")]
SliceOption = Annotated[str, typer.Option(metavar="GLOB", help="Which slices; all is the whole set of samples.")]
STORE = "history.db"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    history = typer.Typer(help="Keep values over commits, and find out when they changed.", no_args_is_help=True)
    for name, command in (("add", add), ("show", show_series), ("drift", drift)):
        history.command(name)(command)
    app.add_typer(history, name="history", rich_help_panel="Read runs")


def add(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run folders, or latest.")],
    store: StoreOption = STORE,
    commit: Annotated[
        str | None, typer.Option(metavar="SHA", help="What was measured; else what the run noted, else HEAD.")
    ] = None,
) -> None:
    """Add runs to the history; a run that is there already changes nothing."""
    from evalsuite.history.points import Commit, noted_commit, points_of
    from evalsuite.history.store import History
    from evalsuite.pipeline.history import load_checked_run

    records = [load_checked_run(run) for run in runs]
    given = None if commit is None else _known(commit) or Commit(commit)
    new = [points_of(record, given or noted_commit(record) or _known("HEAD")) for record, _ in records]
    history = History(store, create=True)
    for (record, folder), points in zip(records, new, strict=True):
        code = record.provenance.get("code") or {}
        if commit is None and code.get("dirty"):
            complain(f"{folder}: the code had changes that are not in commit {points.commit.sha[:8]}")
        added = history.add(points)
        what = f"{len(points.values)} values" if added else "is there already"
        write(f"{folder}: commit {points.commit.sha[:8]}: {what}\n")


def show_series(
    store: StoreOption = STORE,
    suite: SuiteOption = None,
    metric: MetricOption = "*",
    model: ModelOption = "*",
    target: TargetOption = "*",
    slice: SliceOption = "all",
    last: Annotated[int, typer.Option(min=1, metavar="N", help="The newest commits, so many.")] = 20,
    output: Annotated[
        Literal["table", "json", "csv", "png"], typer.Option("--format", help="What to make of it.")
    ] = "table",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Of the picture; else history.png.")
    ] = None,
) -> None:
    """Show values over commits, with intervals."""
    if out is not None and output != "png":
        raise UsageError(f"found --out {out} with --format {output}, expected it with png only; else use > {out}")
    series = _series(store, suite, (metric, model, target, slice), last)
    if output == "png":
        from evalsuite.files import write_atomically
        from evalsuite.history.figure import draw

        path = out or Path("history.png")
        write_atomically(path, draw(series))
        write(f"{path}\n")
    elif output == "json":
        from evalsuite.cli.series import document

        show_json({"series": [document(one) for one in series]})
    elif output == "csv":
        from evalsuite.cli.series import as_csv

        write(as_csv(series))
    else:
        from evalsuite.cli.series import tables

        show(*tables(series))


def drift(
    store: StoreOption = STORE,
    suite: SuiteOption = None,
    metric: MetricOption = "*",
    model: ModelOption = "*",
    target: TargetOption = "*",
    slice: SliceOption = "all",
    last: Annotated[int, typer.Option(min=1, metavar="N", help="The newest commits, so many.")] = 60,
    alpha: Annotated[float, typer.Option(min=1e-6, max=0.5, help="Chance of any false alarm.")] = 0.01,
    min_change: Annotated[
        str, typer.Option(metavar="SHARE", help="A smaller change of the level is none: 1% or 0.01.")
    ] = "1%",
    seed: Annotated[int, typer.Option(min=0, help="Of the random orders that values are compared with.")] = 0,
    fail: Annotated[
        bool, typer.Option("--fail", help="Exit with 1 if anything drifted, and not for the better.")
    ] = False,
    output: Annotated[Literal["text", "json"], typer.Option("--format", help="What is printed to stdout.")] = "text",
) -> None:
    """Find steps and slow trends, and the commits between which they came about."""
    from evalsuite.cli.series import change_document, changes
    from evalsuite.history.drift import find_drift
    from evalsuite.settings import parse_fraction

    try:
        least = float(parse_fraction(min_change))
    except ValueError as error:
        raise UsageError(f"--min-change: found {min_change!r}: expected a share such as 5% or 0.05") from error
    found = find_drift(_series(store, suite, (metric, model, target, slice), last), alpha, least, seed)
    if output == "json":
        rows = [change_document(change) for change in found.changes]
        show_json({"changes": rows, "looked_at": found.looked_at, "too_short": found.too_short})
    else:
        show(*changes(found, alpha))
    if fail and any(change.better is not True for change in found.changes):
        raise typer.Exit(DRIFTED)


def _known(revision: str) -> Commit | None:
    """A commit of the repository in the working directory; None where there is none of that name."""
    from evalsuite.history.points import Commit, utc
    from evalsuite.pipeline.commit import describe_commit

    found = describe_commit(revision)
    return None if found is None else Commit(str(found["commit"]), utc(str(found["committed"])))


def _series(store: str, suite: str | None, globs: tuple[str, str, str, str], last: int) -> list[Series]:
    """The series that are meant; where protocols split one, stderr says so."""
    from evalsuite.cli.series import splits
    from evalsuite.history.store import History, Selection

    history = History(store)
    series = history.read(_suite(history, suite), Selection(*globs), last)
    for sentence in splits(series):
        complain(sentence)
    return series


def _suite(history: History, name: str | None) -> str:
    from evalsuite.errors import UnknownNameError

    suites = history.suites()
    if name is None and len(suites) == 1:
        return suites[0]
    if not suites:
        raise UsageError(f"{history.name}: found no runs there; add one with: evalsuite history add RUN")
    if name is None:
        raise UsageError(f"found {len(suites)} suites in the history, expected --suite with one: {', '.join(suites)}")
    if name not in suites:
        raise UnknownNameError("suite", name, suites)
    return name
