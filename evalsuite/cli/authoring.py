"""Commands for who brings a model: ``init-model``, ``check-model``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evalsuite.cli.model_template import Kind, Style
from evalsuite.cli.terminal import show, show_json, write
from evalsuite.errors import CellError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from evalsuite.pipeline.contract_check.check import Check, Subject

BROKEN = 1
"""Exit code where a claim of the contract does not hold."""

ASKED = "What a sample is asked for: nothing, a class, or a prompt."


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for name, command in (("init-model", init_model), ("check-model", check)):
        app.command(name, rich_help_panel="Bring a model")(command)


def init_model(
    file: Annotated[Path, typer.Argument(help="Where to write it; the suite goes beside it.")] = Path("my_model.py"),
    condition: Annotated[Kind, typer.Option(help=ASKED)] = "class",
    style: Annotated[
        Style,
        typer.Option(help="A function is shorter; a class uses the target's device and can tell its stages."),
    ] = "class",
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a small model that runs, and a suite around it, to put your own in its place."""
    from evalsuite.cli.model_template import commands, model_and_suite

    if file.suffix != ".py" or ":" in file.name:
        raise UsageError(f"found {file}, expected a file name that ends in .py and has no colon, such as my_model.py")
    suite = file.with_suffix(".yaml")
    there = [path for path in (file, suite) if path.exists() and not force]
    if there:
        raise UsageError(
            f"{there[0]} is there already, and is left as it is; choose another name, or say --force to overwrite it"
        )
    try:
        for path, text in zip((file, suite), model_and_suite(file, suite, condition, style), strict=True):
            path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from error
    write(f"wrote {file} and {suite}; next:\n" + "".join(f"  {command}\n" for command in commands(suite)))


def check(
    what: Annotated[
        str, typer.Argument(metavar="MODEL", help="FILE.py:NAME or MODULE:NAME; or a suite, and a model of it.")
    ],
    model: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which model of the suite.")] = None,
    target: Annotated[
        str | None, typer.Option(metavar="TARGET", help="Of the suite; else a device, as cuda:dtype=float16.")
    ] = None,
    condition: Annotated[Kind | None, typer.Option(help=f"{ASKED} Where no suite says it; else class.")] = None,
    classes: Annotated[
        int | None, typer.Option(min=1, metavar="C", help="How many classes there are; else 10.")
    ] = None,
    samples: Annotated[int, typer.Option(min=2, metavar="N", help="Images in a batch.")] = 4,
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Of one call of the model.")] = 600,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Run the model's Python code.")] = False,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="What is printed to stdout.")] = "table",
) -> None:
    """Check that a model keeps its contract, on a few small batches: the same seed, the same image, in any batch."""
    from evalsuite.executors.local import Local
    from evalsuite.pipeline.contract_check.check import check_model

    if ":" in what:
        if model is not None:
            raise UsageError(f"found {model!r} after {what}, expected no other name: that is for models of a suite")
        subject = _from_code(what, target, condition or "class", classes or 10)
    else:
        if condition or classes:
            raise UsageError(
                f"found --condition or --classes, expected neither: {what} says what samples are asked for"
            )
        subject = _from_suite(what, model, target)
    found: list[Check] = []
    error: CellError | None = None
    try:
        for one in check_model(subject, Local(), samples=samples, allow_code=allow_code, timeout_s=timeout):
            found.append(one)
            if output == "table":
                show(_line(one))
    except CellError as reason:
        error = reason
    broken = any(one.finding.verdict == "wrong" for one in found)
    if output == "json":
        show_json({"model": subject.name, "checks": [_row(one) for one in found], "error": error and str(error)})
    elif error is None:
        show(f"{subject.name}: {_summary(found)}")
    if error is not None:
        raise error
    raise typer.Exit(BROKEN if broken else 0)


def _from_code(name: str, target: str | None, condition: Kind, classes: int) -> Subject:
    """What a function or class is asked for where no suite says it."""
    from evalsuite import plugins
    from evalsuite.pipeline.conditions import Conditions
    from evalsuite.pipeline.contract_check.check import Subject
    from evalsuite.suite.schema import ModelSpec, TargetSpec

    place = name.rpartition(":")[0]
    if place.endswith(".py") and not Path(place).expanduser().is_file():
        raise UsageError(f"{place}: found no such file, expected FILE.py:NAME, MODULE:NAME, or a suite file")
    device = plugins.make("targets", target or "cpu")
    match condition:
        case "none":
            conditions = Conditions()
        case "class":
            conditions = Conditions(tuple(map(str, range(classes))))
        case "text":
            conditions = Conditions(prompt_set=plugins.make("prompts", "challenge"))
    return Subject(
        name,
        ModelSpec(role="student", adapter="python", settings={"callable": name, "condition": condition}),
        TargetSpec(device=device.device, settings=device.model_dump()),
        conditions,
    )


def _from_suite(path: str, model: str | None, target: str | None) -> Subject:
    from evalsuite.pipeline.conditions import conditions_of
    from evalsuite.pipeline.contract_check.check import Subject
    from evalsuite.suite.load import load_suite

    if path.endswith(".py"):
        raise UsageError(f"found {path}, expected the name of its function or class too, as in {path}:NAME")
    suite = load_suite(path)
    chosen = _only("model", model, suite.models)
    place = target or next(iter(suite.targets))
    return Subject(
        f"{chosen}@{place}",
        suite.models[chosen],
        suite.targets[_only("target", place, suite.targets)],
        conditions_of(suite),
        suite.sampling.seed,
    )


def _only(kind: str, name: str | None, known: Iterable[str]) -> str:
    """The name that is meant: the one given, or the only one there is.

    Raises:
        UsageError: there is none of that name, or none given of several.
    """
    names = list(known)
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        raise UsageError(f"found no {kind}, expected the name of one: {', '.join(names)}")
    if name not in names:
        raise UnknownNameError(kind, name, names)
    return name


COLOURS = {"ok": "green", "warning": "yellow", "wrong": "bold red", "not applicable": "dim"}


def _line(check: Check) -> Table:
    """One check: its verdict, its name, and what was found."""
    from rich.table import Table
    from rich.text import Text

    from evalsuite.pipeline.contract_check.claims import CHECKS

    finding = check.finding
    more = {"expected": finding.expected, "try": finding.advice}
    lines = [finding.found, *(f"{word}: {text}" for word, text in more.items() if text)]
    table = Table.grid(padding=(0, 2))
    for width in (max(map(len, COLOURS)), max(map(len, CHECKS)), None):
        table.add_column(width=width)
    table.add_row(Text(finding.verdict, COLOURS[finding.verdict]), check.name, Text("\n".join(lines)))
    return table


def _row(check: Check) -> dict[str, str]:
    finding = check.finding
    return {
        "check": check.name,
        "verdict": finding.verdict,
        "found": finding.found,
        "expected": finding.expected,
        "advice": finding.advice,
    }


def _summary(checks: list[Check]) -> str:
    """``12 ok, 1 warning, 2 not applicable``."""
    counts = Counter(str(check.finding.verdict) for check in checks)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in COLOURS if counts[verdict])
