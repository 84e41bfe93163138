"""The run folder: where it is, and the files beside the record."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from evalsuite.errors import StoreError, UsageError
from evalsuite.files import write_atomically
from evalsuite.pipeline.events import Event
from evalsuite.pipeline.history import RUNS
from evalsuite.records import RunRecord
from evalsuite.suite.schema import Suite

EVENTS = "events.jsonl"
_OWN_FILES = {EVENTS, "suite.yaml", "record.json"}


def open_folder(suite: Suite, out: Path | None) -> Path:
    """The run's own folder, made now: ``out``, else ``runs/<suite>-<time>-<hash>``.

    Raises:
        UsageError: ``out`` holds something that is no run.
        StoreError: it cannot be made.
    """
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = out if out is not None else RUNS / f"{suite.suite}-{moment}-{suite.suite_hash[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise StoreError(f"cannot make the run folder {folder}: {error.strerror}; choose another with --out") from error
    if present and not present & _OWN_FILES:
        raise UsageError(
            f"--out {folder}: found a folder with other files in it, expected an empty one or an earlier run"
        )
    return folder


def write_outcome(record: RunRecord, suite: Suite, folder: Path) -> None:
    """Write the record, its table of measurements, and the resolved suite.

    Raises:
        StoreError: the folder cannot be written.
    """
    import yaml

    resolved = yaml.safe_dump(suite.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_atomically(folder / "suite.yaml", resolved.encode())
    write_atomically(folder / "measurements.parquet", record.frame().to_parquet(index=False))
    record.save(folder)


class EventLog:
    """``events.jsonl``: every event but progress, a line each, with the seconds since the epoch."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        try:
            self._file: IO[str] = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise StoreError(
                f"cannot write {self._path}: {error.strerror}; choose another folder with --out"
            ) from error

    def __call__(self, event: Event) -> None:
        """Add one event."""
        if event.kind == "progress" and event.done < event.total:
            return
        try:
            self._file.write(json.dumps({"time": round(time.time(), 3), **asdict(event)}) + "\n")
            self._file.flush()
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from error

    def close(self) -> None:
        self._file.close()
