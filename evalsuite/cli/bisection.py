"""The command ``bisect``: which of many changes is the first that moves a metric."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evalsuite.cli.measuring import AllowCodeOption, CacheOption, JsonOption, ProfileOption, SamplesOption, SuiteFile
from evalsuite.cli.terminal import show_json, write
from evalsuite.errors import UsageError

if TYPE_CHECKING:
    from evalsuite.bisection.lines import Goal, Line
    from evalsuite.bisection.search import Found, Visit
    from evalsuite.pipeline.events import Listener
    from evalsuite.pipeline.runner import RunOptions
    from evalsuite.suite.schema import Suite


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(rich_help_panel="Measure")(bisect)


def bisect(
    suite: SuiteFile,
    other: Annotated[
        Path | None,
        typer.Argument(metavar="[SUITE]", help="The suite that differs in some settings; or --good, --bad."),
    ] = None,
    metric: Annotated[str, typer.Option(help="The value that moved, such as fid or latency_p50.")] = "",
    model: Annotated[str, typer.Option(help="Whose value.")] = "",
    target: Annotated[str, typer.Option(help="On which target; else the suite's first.")] = "",
    slice_id: Annotated[str, typer.Option("--slice", help="On which slice.")] = "all",
    good: Annotated[str, typer.Option(metavar="COMMIT", help="A commit at which all was well.")] = "",
    bad: Annotated[str, typer.Option(metavar="COMMIT", help="A later one at which it is not.")] = "HEAD",
    samples: SamplesOption = None,
    profile: ProfileOption = None,
    cache: CacheOption = None,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Name the first commit, or the first setting between two suites, that moves a metric."""
    from evalsuite.bisection.lines import Goal
    from evalsuite.bisection.search import Search
    from evalsuite.cli.progress import ProgressDisplay
    from evalsuite.pipeline.runner import RunOptions
    from evalsuite.suite.load import load_suite

    if bool(other) == bool(good):
        raise UsageError("bisect: expected a second suite, or --good COMMIT, and not both")
    if not metric or not model:
        raise UsageError("bisect: expected --metric and --model, such as --metric fid --model student-4step")
    loaded = load_suite(suite)
    goal = Goal(metric, model, target or next(iter(loaded.targets)), slice_id)
    options = RunOptions(samples=samples, cache=cache, profile=profile, allow_code=allow_code)
    with nullcontext(None) if as_json else ProgressDisplay() as display:
        listener = display or (lambda event: None)
        if other:
            line = _of_settings(loaded, load_suite(other), goal, options, listener)
        else:
            line = _of_commits(suite, good, bad, goal, options)
        last = len(line.names) - 1

        def tell(tested: Visit) -> None:
            if not as_json:
                word = {True: "moved", False: "not moved", None: "unknown"}[tested.moved]
                write(f"{word}: {line.names[tested.index]}: {tested.sentence}\n")

        found = Search(last, line.measure, tell).run()
    if as_json:
        show_json(_document(line, found))
    else:
        write(_conclusion(line, found, goal) + "\n")


def _of_settings(good: Suite, bad: Suite, goal: Goal, options: RunOptions, listener: Listener) -> Line:
    from evalsuite.bisection.lines import SettingsLine
    from evalsuite.bisection.settings import changes_between

    changes = changes_between(good, bad, model=goal.model, target=goal.target, metric=goal.metric)
    return SettingsLine(good, changes, goal, options, listener)


def _of_commits(suite: Path, good: str, bad: str, goal: Goal, options: RunOptions) -> Line:
    from evalsuite.bisection.commits import commits_between, repository_of
    from evalsuite.bisection.lines import CommitsLine

    repository = repository_of(suite)
    return CommitsLine(repository, suite, commits_between(repository, good, bad), goal, options)


def _conclusion(line: Line, found: Found, goal: Goal) -> str:
    what = f"{goal.metric} of {goal.model}@{goal.target}" + ("" if goal.slice == "all" else f" on {goal.slice}")
    if found.first is None:
        return f"{what} does not move between {line.names[0]} and {line.names[-1]}."
    if found.before == found.first - 1:
        return f"The first that moves {what}: {line.names[found.first]}"
    suspects = "\n".join(f"  {line.names[i]}" for i in range(found.before + 1, found.first + 1))
    return f"The first that moves {what} is one of these; those before the last could not be measured:\n{suspects}"


def _document(line: Line, found: Found) -> dict[str, object]:
    tested = [
        {**asdict(t), "name": line.names[t.index], "comparison": t.comparison and t.comparison.model_dump(mode="json")}
        for t in found.tested
    ]
    first = None if found.first is None else line.names[found.first]
    suspects = [] if found.first is None else [line.names[i] for i in range(found.before + 1, found.first + 1)]
    return {"first": first, "suspects": suspects, "tested": tested}
