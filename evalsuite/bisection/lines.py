"""The two kinds of line that can be searched, as points with names and a way to measure each."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from evalsuite.bisection import commits, settings
from evalsuite.bisection.search import Point
from evalsuite.compare.baseline import pairing_key
from evalsuite.errors import Failed, UsageError
from evalsuite.pipeline.events import Listener
from evalsuite.pipeline.runner import RunOptions, execute
from evalsuite.records import Measurement, Missing, RunRecord
from evalsuite.suite.schema import Suite


@dataclass(frozen=True)
class Goal:
    """Whose metric is watched.

    Attributes:
        metric: the name of a value, as ``fid`` or ``latency_p50``.
        model, target, slice: where.
    """

    metric: str
    model: str
    target: str
    slice: str = "all"

    def in_record(self, record: RunRecord) -> Point:
        """The value of a run.

        Raises:
            Failed: it has none; says why.
        """
        cells: list[Measurement | Missing] = [*record.measurements, *record.missing]
        for cell in cells:
            if (cell.name, cell.model, cell.target, cell.slice) == (self.metric, self.model, self.target, self.slice):
                if isinstance(cell, Measurement):
                    return Point(cell, pairing_key(record))
                raise Failed(cell.reason)
        raise Failed(f"the run has no {self.metric} of {self.model}@{self.target}/{self.slice}")


class Line(Protocol):
    """Points from 0 (all is well) to ``len(names) - 1``; ``names`` says what was changed to get to each."""

    @property
    def names(self) -> Sequence[str]: ...

    def measure(self, index: int) -> Point:
        """The metric there.

        Raises:
            CellError: it has none.
        """
        ...


@dataclass(frozen=True)
class SettingsLine:
    """From one suite to another, a setting a step; samples that a change leaves as they are come from the cache."""

    good: Suite
    changes: Sequence[settings.Change]
    goal: Goal
    options: RunOptions
    listener: Listener

    @property
    def names(self) -> Sequence[str]:
        return ["no change", *map(str, self.changes)]

    def measure(self, index: int) -> Point:
        goal = self.goal
        try:
            suite = settings.with_changes(
                self.good, self.changes[:index], model=goal.model, target=goal.target, metric=goal.metric
            )
            with tempfile.TemporaryDirectory(prefix="evalsuite-bisect-") as folder:
                record, _ = execute(suite, replace(self.options, out=Path(folder)), self.listener)
        except (UsageError, ValueError) as error:
            raise Failed(f"these settings do not fit together: {error}") from error
        return goal.in_record(record)


@dataclass(frozen=True)
class CommitsLine:
    """From one commit to another, along first parents."""

    repository: Path
    suite: Path
    commits: Sequence[commits.Commit]
    goal: Goal
    options: RunOptions

    @property
    def names(self) -> Sequence[str]:
        return [str(commit) for commit in self.commits]

    def measure(self, index: int) -> Point:
        where = self.suite.resolve().relative_to(self.repository.resolve())
        return self.goal.in_record(commits.run_at(self.repository, self.commits[index], where, self._words()))

    def _words(self) -> list[str]:
        """The options for ``evalsuite run``; the suite of a commit may have other models, but needs the target."""
        words = ["--only", f"target={self.goal.target}"]
        words += ["--profile", self.options.profile] if self.options.profile else []
        words += ["--samples", str(self.options.samples)] if self.options.samples else []
        words += ["--cache", str(self.options.cache.absolute())] if self.options.cache else []
        return [*words, *(["--allow-code"] if self.options.allow_code else [])]
