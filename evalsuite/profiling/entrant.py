"""A model that takes part in a session, and the parent's side of its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import CellError
from evalsuite.executors.contract import Worker
from evalsuite.models.contract import Batch
from evalsuite.profiling.subject import SubjectSpec, Turn
from evalsuite.records import Scalar, Timings
from evalsuite.scenarios.contract import Scenario

FIRST_UNTIMED_ID = 1 << 40
"""Warm-ups get samples from here on, so that the timed ones are those from 0 on, which were scored too."""


@dataclass
class Entrant:
    """A model that takes part in a session, and what came of it.

    Attributes:
        case_key: names it in the timings.
        spec: how its process makes it.
        batch_of: the batch of some sample ids, int64 ``[B]``.
        batch_size: the target's.
        environment: what must be equal for its timings to be compared with others.
        timings: what was measured; empty if there is an ``error``.
        gaps: by scenario, why it is not for this model or machine.
        error: why it dropped out.
    """

    case_key: str
    spec: SubjectSpec
    batch_of: Callable[[NDArray[np.int64]], Batch]
    batch_size: int
    environment: dict[str, Scalar] = field(default_factory=dict)
    timings: list[Timings] = field(default_factory=list)
    gaps: dict[str, CellError] = field(default_factory=dict)
    error: CellError | None = None

    @contextmanager
    def dropping_out(self) -> Iterator[None]:
        """A failure inside is kept and ends this entrant's part in the session, not the session."""
        try:
            yield
        except CellError as error:
            self.error = error
            self.timings.clear()

    def takes_part(self, scenario: str) -> bool:
        """Whether it is still there and the scenario is for it."""
        return self.error is None and scenario not in self.gaps


class SampleIds:
    """Deals out samples, each once."""

    def __init__(self) -> None:
        self._next = {"timed": 0, "untimed": FIRST_UNTIMED_ID}

    def take(self, count: int, *, timed: bool) -> NDArray[np.int64]:
        """The next ids, int64 ``[count]``."""
        kind = "timed" if timed else "untimed"
        first = self._next[kind]
        self._next[kind] = first + count
        return np.arange(first, first + count, dtype=np.int64)


class Runner:
    """An entrant in its live process. Every call gets samples that it has not had before."""

    def __init__(self, entrant: Entrant, worker: Worker, ids: SampleIds, patience_s: float) -> None:
        self.entrant, self._worker, self._ids, self._patience_s = entrant, worker, ids, patience_s

    def arrive(self) -> None:
        """Wait until the model is loaded, and note its environment."""
        self.entrant.environment = self._worker.call("environment", timeout_s=self._patience_s)

    def warm_up(self, scenario: Scenario, calls: int) -> float:
        """Seconds of the fastest of some untimed calls."""
        fastest: float = self._worker.call(
            "warm_up", self._batches(scenario, calls, timed=False), timeout_s=self._patience_s
        )
        return fastest

    def measure(self, scenario: Scenario, *, lead_in: int, calls: int, seed: int) -> Turn | CellError:
        """One turn, or why the scenario is not for this model."""
        untimed = self._batches(scenario, lead_in, timed=False)
        timed = self._batches(scenario, calls, timed=True)
        turn: Turn | CellError = self._worker.call(
            "measure", scenario, untimed, timed, seed, timeout_s=self._patience_s
        )
        return turn

    def _batches(self, scenario: Scenario, calls: int, *, timed: bool) -> list[Batch]:
        size = scenario.images_per_call(self.entrant.batch_size)
        return [self.entrant.batch_of(self._ids.take(size, timed=timed)) for _ in range(calls)]
