"""Commands on a suite file: ``run``, ``validate``, ``plan``."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from evalsuite.cli.terminal import show, show_json, write
from evalsuite.errors import UsageError
from evalsuite.profiles import ProfileName

if TYPE_CHECKING:
    from evalsuite.session import Session

SuiteFile = Annotated[Path, typer.Argument(metavar="SUITE", help="A suite file, such as suites/quickstart.yaml.")]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND=GLOB,...",
        help="Run only some cells: model=..., target=..., slice=..., separated by commas; * matches anything. "
        "scenario=... runs nothing but the timings of some scenarios.",
    ),
]
SamplesOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Samples for each model, in place of the suite's.")
]
CacheOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The cache; else $EVALSUITE_CACHE, else the user's cache folder."),
]
OutOption = Annotated[Path | None, typer.Option(metavar="DIR", help="The run's own folder; else below runs/.")]
ExecutorOption = Annotated[str, typer.Option(help="Where models run.")]
ProfileOption = Annotated[ProfileName | None, typer.Option(help="How long to time models; else the suite says.")]
FreshTimingsOption = Annotated[bool, typer.Option("--fresh-timings", help="Time again what the cache holds.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the run's folder.")]
AllowCodeOption = Annotated[bool, typer.Option("--allow-code", help="Run Python code that the suite names.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (run, validate, plan):
        app.command(rich_help_panel="Measure")(command)


def run(
    suite: SuiteFile,
    out: OutOption = None,
    only: OnlyOption = None,
    samples: SamplesOption = None,
    executor: ExecutorOption = "local",
    cache: CacheOption = None,
    profile: ProfileOption = None,
    fresh_timings: FreshTimingsOption = False,
    allow_code: AllowCodeOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Generate, measure, compare, judge the gates, and write the report."""
    carry_out(
        suite,
        quiet=quiet,
        as_json=as_json,
        out=out,
        only=parse_only(only or ()),
        samples=samples,
        cache=cache,
        executor=executor,
        fresh_timings=fresh_timings,
        allow_code=allow_code,
        profile=profile,
    )


def carry_out(suite: Path, *, quiet: bool, as_json: bool, **options: Any) -> NoReturn:
    """Run a suite under a progress display, print what came out, and end with its exit code.

    Args:
        suite: its file.
        quiet, as_json: what is printed: the folder alone, or one document.
        options: of :func:`evalsuite.session.run`.

    Raises:
        UsageError: quiet and JSON at once.
        typer.Exit: always, at the end.
    """
    if quiet and as_json:
        raise UsageError("found --quiet and --json, expected one of them: --json prints nothing but its document")
    from evalsuite import session
    from evalsuite.cli.progress import ProgressDisplay

    with nullcontext(None) if quiet or as_json else ProgressDisplay() as listener:
        finished = session.run(suite, **options, listener=listener)
    if quiet:
        write(f"{finished.folder}\n")
    elif as_json:
        show_json(_document(finished))
    else:
        _show(finished)
    raise typer.Exit(finished.exit_code)


def validate(suite: SuiteFile, as_json: JsonOption = False) -> None:
    """Check a suite file and say everything that is wrong with it, gates that are known to be undecidable included."""
    from evalsuite.outlook import refuse_hopeless
    from evalsuite.suite.load import load_suite

    loaded = load_suite(suite)
    decidable = refuse_hopeless(loaded)
    if as_json:
        gates = [asdict(gate) for gate in decidable]
        show_json({"suite": loaded.model_dump(mode="json"), "suite_hash": loaded.suite_hash, "gates": gates})
        return
    counts = (
        f"models: {len(loaded.models)}, targets: {len(loaded.targets)}, metrics: {len(loaded.metrics)}, "
        f"gates: {len(loaded.gates)}, samples: {loaded.sampling.num_samples}"
    )
    write(f"{suite}: valid; {counts}\n")
    unknown: dict[str, list[str]] = {}
    for gate in decidable:
        if gate.effect is None:
            unknown.setdefault(gate.unknown, []).append(gate.gate)
    for reason, lines in unknown.items():
        write(f"whether these gates can be decided is unknown, {reason}:\n")
        write("".join(f"  {line}\n" for line in lines))


def plan(
    suite: SuiteFile,
    only: OnlyOption = None,
    samples: SamplesOption = None,
    cache: CacheOption = None,
    allow_code: AllowCodeOption = False,
    pilot: Annotated[
        bool, typer.Option("--pilot", help="First run a fifth of the samples, to learn what gates can decide.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a run would do: its cases, what the cache lacks of them in disk and time, what its gates can decide."""
    from evalsuite import outlook, session
    from evalsuite.cli.progress import ProgressDisplay
    from evalsuite.cli.tables import lacking, planned, powers
    from evalsuite.pipeline.estimate import downloads, estimate
    from evalsuite.pipeline.extract import unavailable_extractors
    from evalsuite.pipeline.history import finished_records
    from evalsuite.pipeline.plan import make_plan, with_samples
    from evalsuite.pipeline.timed_part import generating, timed_part
    from evalsuite.store import Store
    from evalsuite.suite.load import load_suite

    chosen = parse_only(only or ())
    loaded = timed_part(with_samples(load_suite(suite), samples), chosen)
    draft = make_plan(loaded, only=chosen, allow_code=allow_code)
    if pilot:
        with nullcontext(None) if as_json else ProgressDisplay() as listener:
            size = outlook.pilot_size(loaded)
            session.run(loaded, samples=size, cache=cache, allow_code=allow_code, profile="ci", listener=listener)
    earlier = (record for _, record in finished_records())
    costs = estimate(loaded, generating(loaded, draft), earlier, Store(cache))
    to_download = downloads(loaded, chosen)
    decidable = outlook.power(loaded)
    if as_json:
        cases, gates = ([asdict(one) for one in many] for many in (costs, decidable))
        first = [download._asdict() for download in to_download]
        show_json({"suite_hash": loaded.suite_hash, "cases": cases, "downloads": first, "gates": gates})
    else:
        show(*planned(draft, costs), *lacking(to_download, unavailable_extractors(loaded)))
        show(*powers(decidable, loaded.sampling.num_samples))


def parse_only(texts: list[str] | tuple[str, ...]) -> dict[str, list[str]]:
    """``["model=a,model=b,slice=class=bag"]`` -> ``{"model": ["a", "b"], "slice": ["class=bag"]}``.

    A text that begins with ``scenario=`` is one glob whole, since a scenario's settings are separated by commas, too.

    Raises:
        UsageError: a part has no ``=``.
    """
    chosen: dict[str, list[str]] = {}
    parts = [part for text in texts for part in ([text] if text.startswith("scenario=") else text.split(","))]
    for part in map(str.strip, parts):
        kind, equals, glob = part.partition("=")
        if not equals or not glob:
            raise UsageError(f"--only: found {part!r}, expected KIND=GLOB such as model=teacher or slice=class=*")
        chosen.setdefault(kind, []).append(glob)
    return chosen


def _document(finished: Session) -> dict[str, object]:
    return {
        "folder": str(finished.folder),
        "exit_code": finished.exit_code,
        "content_hash": finished.record.content_hash,
        "measurements": [measurement.model_dump(mode="json") for measurement in finished.record.measurements],
        "missing": [missing.model_dump(mode="json") for missing in finished.record.missing],
        "comparisons": [comparison.model_dump(mode="json") for comparison in finished.comparisons],
        "verdicts": [verdict.model_dump(mode="json") for verdict in finished.verdicts],
    }


def _show(finished: Session) -> None:
    from evalsuite.cli import tables
    from evalsuite.reports.contract import ReportInputs

    record, verdicts = finished.record, finished.verdicts
    show(*tables.summary(ReportInputs(record, finished.folder, finished.comparisons, verdicts, command="")))
    show(*tables.absences(record.missing), "", *tables.gates(verdicts))
    report = finished.folder / "report" / "index.html"
    show("", f"report: {report if report.is_file() else finished.folder}")
