"""Commands on finished runs: ``report``, ``compare``, ``gate``. They need no models."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evalsuite.cli.terminal import show, show_json, write
from evalsuite.errors import UsageError

if TYPE_CHECKING:
    from evalsuite.reports.contract import ReportInputs

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, its record.json, or latest.")]
GateFormat = Literal["text", "json", "junit", "markdown", "github"]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
BaselinesOption = Annotated[
    Path | None, typer.Option("--baselines", metavar="DIR", help="Where baselines are kept; else baselines/.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (report, compare, gate):
        app.command(rich_help_panel="Read runs")(command)


def report(
    run: RunArgument,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="html, markdown, model_card, latex, csv, parquet, json, ...; else the suite's.",
        ),
    ] = None,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Write report.html with all pictures inside, as --format single_file.")
    ] = False,
) -> None:
    """Write the report files of a run again."""
    from evalsuite import session
    from evalsuite.pipeline.history import run_folder

    chosen = [*(formats or []), *(["single_file"] if single_file else [])]
    for path in session.render(run_folder(run), formats=chosen or None):
        write(f"{path}\n")


def compare(
    run: RunArgument,
    against: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="An earlier run to compare with; else the run's own teacher and targets."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare students with their teacher and targets with the first of them, or a run with an earlier one."""
    from evalsuite.compare.tables import across_targets, against_teacher, between_runs
    from evalsuite.pipeline.history import load_checked_run

    record, _ = load_checked_run(run)
    comparisons = (
        [*against_teacher(record), *across_targets(record)]
        if against is None
        else between_runs(record, load_checked_run(against)[0])
    )
    if as_json:
        show_json([comparison.model_dump(mode="json") for comparison in comparisons])
        return
    from evalsuite.cli.tables import differences

    show(*differences(comparisons))


def gate(
    run: RunArgument,
    output: Annotated[
        GateFormat,
        typer.Option("--format", help="For people, programs, CI systems, a pull request, or GitHub Actions."),
    ] = "text",
    link: Annotated[str, typer.Option(metavar="URL", help="Where the report can be read, for markdown.")] = "",
    baselines: BaselinesOption = None,
) -> None:
    """Judge the gates of a run's suite; the exit code is the verdict."""
    from evalsuite import session
    from evalsuite.compare.baseline import BASELINES
    from evalsuite.compare.gate import exit_code

    if link and not re.fullmatch(r"https?://[^\s<>]+", link):
        raise UsageError(f"--link: found {link!r}, expected an address such as https://example.org/report/index.html")
    judged = session.judged(run, link=link, baselines=baselines or BASELINES)
    if output == "json":
        show_json([verdict.model_dump(mode="json") for verdict in judged.verdicts])
    elif output == "text":
        from evalsuite.cli.tables import gates

        show(*gates(judged.verdicts))
    else:
        write(_rendered(output, judged))
    raise typer.Exit(exit_code(judged.record, judged.verdicts))


def _rendered(output: Literal["junit", "markdown", "github"], judged: ReportInputs) -> str:
    """The one file of a report format; for GitHub Actions the comment goes to the summary of the job, too."""
    from evalsuite.plugins import find

    name = {"junit": "junit", "markdown": "comment", "github": "github"}[output]
    (content,) = find("reports", name)().render(judged).values()
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if output == "github" and summary:
        (comment,) = find("reports", "comment")().render(judged).values()
        with Path(summary).open("ab") as file:
            file.write(comment)
    return str(content.decode())
