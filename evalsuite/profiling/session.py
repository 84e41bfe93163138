"""One session: all models of a target, each alive in a process of its own, measured in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import CellError
from evalsuite.executors.contract import Executor, Worker
from evalsuite.models.contract import Batch
from evalsuite.profiling.profiles import Pace, Profile, TimedScenario, memory_flaw, timing_flaw
from evalsuite.profiling.subject import Peak, Subject, SubjectSpec
from evalsuite.profiling.turns import abba
from evalsuite.records import Scalar, Timings

TIMED: tuple[TimedScenario, ...] = ("single_stream", "offline")
"""In this order, so that the short calls come before the long ones have heated the machine."""

ReportTurn = Callable[[str, str, int, int], None]
"""Called with case key, scenario, turns (or processes) done, and how many there will be."""


@dataclass
class Entrant:
    """A model that takes part in a session, and what came of it.

    Attributes:
        case_key: names it in the timings.
        spec: how its process makes it.
        batch_of: the batch of some sample ids, int64 ``[B]``.
        batch_size: images in one call of ``offline`` and ``memory``.
        environment: what must be equal for its timings to be compared with others.
        timings: what was measured; complete unless there is an ``error``.
        error: why it dropped out.
    """

    case_key: str
    spec: SubjectSpec
    batch_of: Callable[[NDArray[np.int64]], Batch]
    batch_size: int
    environment: dict[str, Scalar] = field(default_factory=dict)
    timings: list[Timings] = field(default_factory=list)
    error: CellError | None = None

    @contextmanager
    def dropping_out(self) -> Iterator[None]:
        """A failure inside is kept and ends this entrant's part in the session, not the session."""
        try:
            yield
        except CellError as error:
            self.error = error
            self.timings.clear()


class Runner:
    """An entrant in its live process. Every call gets samples that it has not had before."""

    def __init__(self, entrant: Entrant, worker: Worker, patience_s: float) -> None:
        self.entrant, self._worker, self._patience_s = entrant, worker, patience_s
        self._next_id = 0

    def environment(self) -> dict[str, Scalar]:
        """What must be equal for two timings to be compared."""
        environment: dict[str, Scalar] = self._worker.call("environment", timeout_s=self._patience_s)
        return environment

    def seconds(self, calls: int, batch_size: int) -> list[float]:
        """Seconds of each of so many calls."""
        batches = [self._batch(batch_size) for _ in range(calls)]
        seconds: list[float] = self._worker.call("time", batches, timeout_s=self._patience_s)
        return seconds

    def peak(self) -> Peak:
        """Peak memory of the process so far and through one batch; only a fresh process has a story to tell."""
        peak: Peak = self._worker.call("peak_memory", self._batch(self.entrant.batch_size), timeout_s=self._patience_s)
        return peak

    def _batch(self, size: int) -> Batch:
        ids = np.arange(self._next_id, self._next_id + size, dtype=np.int64)
        self._next_id += size
        return self.entrant.batch_of(ids)


@dataclass(frozen=True)
class Session:
    """Measures entrants in the given scenarios; one that fails drops out and the others go on.

    The process that is timed is also the first of those whose memory is measured, so that each model is loaded as
    seldom as the rules allow.
    """

    executor: Executor
    profile: Profile
    scenarios: frozenset[str]
    report: ReportTurn

    def run(self, entrants: Sequence[Entrant]) -> None:
        """Fill in ``timings`` or ``error`` of every entrant."""
        peaks: dict[str, list[Peak]] = {entrant.case_key: [] for entrant in entrants}
        with self._processes(entrants) as runners:
            for runner in runners:
                with runner.entrant.dropping_out():
                    runner.entrant.environment = runner.environment()
            self._add_peaks(runners, peaks)
            for scenario in TIMED:
                if scenario in self.scenarios:
                    self._take_turns(runners, scenario)
        if "memory" in self.scenarios:
            for _ in range(1, self.profile.processes):
                with self._processes(entrants) as runners:
                    self._add_peaks(runners, peaks)
            for entrant in _present(entrants):
                entrant.timings.extend(_memory_timings(entrant, peaks[entrant.case_key]))

    @contextmanager
    def _processes(self, entrants: Sequence[Entrant]) -> Iterator[list[Runner]]:
        """A fresh process for everyone who is still there; they load at the same time."""
        with ExitStack() as stack:
            runners = []
            for entrant in _present(entrants):
                with entrant.dropping_out():
                    worker = stack.enter_context(self.executor.open(Subject, (entrant.spec,)))
                    runners.append(Runner(entrant, worker, self.profile.patience_s))
            yield runners

    def _add_peaks(self, runners: Sequence[Runner], peaks: dict[str, list[Peak]]) -> None:
        """Measure the memory of fresh processes, one after another, if anybody wants to know."""
        if "memory" in self.scenarios:
            for runner in runners:
                entrant = runner.entrant
                if entrant.error is None:
                    with entrant.dropping_out():
                        peaks[entrant.case_key].append(runner.peak())
                        self.report(entrant.case_key, "memory", len(peaks[entrant.case_key]), self.profile.processes)

    def _take_turns(self, runners: Sequence[Runner], scenario: TimedScenario) -> None:
        pace = self.profile.paces[scenario]
        calls: dict[str, int] = {}
        values: dict[str, list[list[float]]] = {runner.entrant.case_key: [] for runner in runners}
        for runner in runners:
            if runner.entrant.error is None:
                with runner.entrant.dropping_out():
                    fastest = min(runner.seconds(pace.warmups, _size(runner.entrant, scenario)))
                    calls[runner.entrant.case_key] = pace.calls_per_turn(fastest)
        for turn, runner in abba(runners, pace.rounds):
            key = runner.entrant.case_key
            if runner.entrant.error is None:
                with runner.entrant.dropping_out():
                    seconds = runner.seconds(pace.lead_in + calls[key], _size(runner.entrant, scenario))
                    values[key].append(seconds[pace.lead_in :])
                    self.report(key, scenario, turn + 1, pace.rounds)
        for entrant in _present([runner.entrant for runner in runners]):
            entrant.timings.append(_timings(entrant, scenario, pace, values[entrant.case_key]))


def _present(entrants: Sequence[Entrant]) -> list[Entrant]:
    return [entrant for entrant in entrants if entrant.error is None]


def _size(entrant: Entrant, scenario: TimedScenario) -> int:
    return 1 if scenario == "single_stream" else entrant.batch_size


def _timings(entrant: Entrant, scenario: TimedScenario, pace: Pace, values: list[list[float]]) -> Timings:
    flaw = timing_flaw(scenario, values)
    return Timings(
        case_key=entrant.case_key,
        scenario=scenario,
        batch_size=_size(entrant, scenario),
        unit="s",
        warmups=pace.warmups + pace.rounds * pace.lead_in,
        values=values,
        environment=entrant.environment,
        valid=not flaw,
        reason=flaw,
    )


def _memory_timings(entrant: Entrant, peaks: Sequence[Peak]) -> Iterator[Timings]:
    """``memory`` of the process, and ``device_memory`` where the device has its own."""
    columns: dict[str, list[int | None]] = {
        "memory": [peak.process for peak in peaks],
        "device_memory": [peak.device for peak in peaks],
    }
    for scenario, sizes in columns.items():
        values = [[float(size)] for size in sizes if size is not None]
        if values:
            flaw = memory_flaw(values)
            yield Timings(
                case_key=entrant.case_key,
                scenario=scenario,
                batch_size=entrant.batch_size,
                unit="bytes",
                warmups=0,
                values=values,
                environment={**entrant.environment, "memory_source": peaks[0].source},
                valid=not flaw,
                reason=flaw,
            )
