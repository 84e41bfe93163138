"""Command ``export``: the numbers of a run for a tracker of experiments."""

from __future__ import annotations

import importlib
from typing import Annotated, Literal

import typer

from evalsuite.cli.reading import RunArgument
from evalsuite.cli.terminal import write

Tracker = Literal["mlflow", "tensorboard", "wandb"]


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Read runs")(export)


def export(
    run: RunArgument,
    to: Annotated[Tracker, typer.Option("--to", help="Which; each needs the extra of its name.")],
    place: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="A folder; for mlflow a tracking URI such as sqlite:///mlflow.db."),
    ] = None,
) -> None:
    """Write the numbers of a run where MLflow, TensorBoard or Weights & Biases (offline) read them."""
    from evalsuite.export.values import exports
    from evalsuite.pipeline.history import load_run

    record, folder = load_run(run)
    tracker = importlib.import_module(f"evalsuite.export.{to}")
    for made in tracker.send(exports(record, folder.resolve().name), folder / "record.json", place):
        write(f"{made}\n")
