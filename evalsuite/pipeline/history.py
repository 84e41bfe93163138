"""The run folders that earlier runs left, and how a user names one of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from evalsuite.errors import RecordError, UsageError
from evalsuite.records import RunRecord
from evalsuite.suite.recorded import recorded_suite

RUNS = Path("runs")
"""Where runs go unless ``--out`` says otherwise, below the working directory."""

LATEST = "latest"


def finished_runs(root: Path = RUNS) -> list[Path]:
    """Run folders that hold a record, newest first."""
    records = sorted(root.glob("*/record.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in records]


def run_folder(argument: str | Path, root: Path = RUNS) -> Path:
    """The folder meant by a folder, its ``record.json``, or the word ``latest``.

    Raises:
        UsageError: there is no such run; says what there is.
    """
    if str(argument) == LATEST:
        runs = finished_runs(root)
        if not runs:
            raise UsageError(f"found no finished run in {root}/, expected one; start one with: evalsuite run SUITE")
        return runs[0]
    path = Path(argument)
    folder = path.parent if path.name == "record.json" else path
    if not (folder / "record.json").is_file():
        raise UsageError(
            f"{argument}: found no record.json there, expected a run's folder, its record.json, or the word {LATEST}; "
            "see: evalsuite runs list"
        )
    return folder


def load_run(argument: str | Path) -> tuple[RunRecord, Path]:
    """The record and the folder of a run that a user named.

    Raises:
        UsageError: there is no such run, or its record cannot be read.
    """
    folder = run_folder(argument)
    return RunRecord.load(folder), folder


def load_checked_run(argument: str | Path) -> tuple[RunRecord, Path]:
    """As ``load_run``, for what follows the suite of the run, too.

    Raises:
        UsageError: there is no such run, or its record or the suite in it cannot be read.
    """
    record, folder = load_run(argument)
    recorded_suite(record, folder / "record.json")
    return record, folder


def finished_records(root: Path = RUNS) -> Iterator[tuple[str, RunRecord]]:
    """The records of finished runs with the names of their folders, newest first; what cannot be read is left out."""
    for folder in finished_runs(root):
        with contextlib.suppress(RecordError):
            yield folder.name, RunRecord.load(folder)
