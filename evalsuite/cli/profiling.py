"""Command ``profile``: speed, memory, energy and cost of a suite's models, without its quality."""

from __future__ import annotations

from typing import Annotated

import typer

from evalsuite.cli.measuring import (
    AllowCodeOption,
    CacheOption,
    ExecutorOption,
    FreshTimingsOption,
    JsonOption,
    OutOption,
    ProfileOption,
    QuietOption,
    SuiteFile,
    carry_out,
)


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Measure")(profile)


def profile(
    suite: SuiteFile,
    model: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="These models only.")] = None,
    target: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="These targets only.")] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only metrics that read these scenarios, such as server or server:rate=20."),
    ] = None,
    out: OutOption = None,
    executor: ExecutorOption = "local",
    cache: CacheOption = None,
    profile: ProfileOption = None,
    fresh_timings: FreshTimingsOption = False,
    allow_code: AllowCodeOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure only speed, memory, energy and cost: no samples are generated. Same record, reports and exit codes."""
    chosen = {"model": model, "target": target, "scenario": scenario or ["*"]}
    carry_out(
        suite,
        quiet=quiet,
        as_json=as_json,
        out=out,
        only={kind: globs for kind, globs in chosen.items() if globs},
        cache=cache,
        executor=executor,
        fresh_timings=fresh_timings,
        allow_code=allow_code,
        profile=profile,
    )
