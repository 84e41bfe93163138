"""Draws a run's events on stderr: progress bars with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from evalsuite.cli.terminal import console_on
from evalsuite.pipeline.events import Event


class ProgressDisplay:
    """A context manager and a listener: one bar for the stage, one for each cell at work in it."""

    def __init__(self) -> None:
        self._console = console_on(sys.stderr)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._stage: TaskID | None = None
        self._cells: dict[str, TaskID] = {}
        self._ended: set[str] = set()
        self._said: set[str] = set()

    def __enter__(self) -> ProgressDisplay:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Draw one event."""
        match event.kind:
            case "stage":
                self._begin_stage(event)
            case "progress":
                self._advance(event)
            case "cached":
                self._end(event.key)
            case "missing":
                self._say(event)
                self._end(event.key)
            case "warning":
                self._say(event)

    @property
    def finished(self) -> int:
        """Cells of the present stage that have ended, with a number or without."""
        return len(self._ended)

    def _begin_stage(self, event: Event) -> None:
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        self._cells.clear()
        self._ended.clear()
        self._stage = self._bars.add_task(f"[bold]{event.stage}", total=event.total or None)
        if not self._console.is_terminal:
            self._console.print(event.stage)

    def _say(self, event: Event) -> None:
        """The first cell with this message; the table at the end counts the others."""
        if event.message not in self._said:
            self._said.add(event.message)
            self._console.print(f"{event.key}: {event.message}".removeprefix(": "), style="yellow", markup=False)

    def _advance(self, event: Event) -> None:
        if not event.key:
            if self._stage is not None:
                self._bars.update(self._stage, completed=event.done, total=event.total or None)
            return
        self._ended.discard(event.key)  # a model is timed in several scenarios, one after the other
        if event.key not in self._cells:
            label = f"  {event.key} {event.message}".rstrip()
            self._cells[event.key] = self._bars.add_task(escape(label), total=event.total or None)
        self._bars.update(self._cells[event.key], completed=event.done)
        if event.done >= event.total:
            self._end(event.key)

    def _end(self, key: str) -> None:
        """A cell is over: its bar goes, the stage's advances."""
        if key in self._cells:
            self._bars.remove_task(self._cells.pop(key))
        if self._stage is not None and key not in self._ended:
            self._ended.add(key)
            self._bars.update(self._stage, completed=self.finished)
