"""Plan -> Timings: speed and memory of every model, all models of a target measured together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import cast

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import Skipped, UnknownNameError
from evalsuite.executors.contract import Executor
from evalsuite.files import content_key
from evalsuite.metrics.contract import Inputs, TimingMetric
from evalsuite.models.contract import Batch
from evalsuite.pipeline.cells import PlannedCell, cells_of
from evalsuite.pipeline.conditions import conditions_of
from evalsuite.pipeline.environment import describe_machine
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.plan import adapter_of, target_of
from evalsuite.profiling.profiles import PROFILES
from evalsuite.profiling.session import Entrant, ReportTurn, Session
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.records import Case, Missing, Plan, Timings
from evalsuite.store import Store
from evalsuite.suite.schema import Suite

ROOM = "timings"


def profile(
    suite: Suite,
    plan: Plan,
    *,
    executor: Executor,
    store: Store,
    listener: Listener,
    fresh: bool = False,
    profile: str = "standard",
) -> tuple[list[Timings], list[Missing]]:
    """Time every model on every target, on the slice ``all``, in the scenarios that the suite's metrics need.

    A target's models are measured in one session and kept together: a session that was interrupted, or in which a
    model failed, is done again whole, because values taken at different times are not paired.

    Args:
        suite: the suite.
        plan: its cases.
        executor: where the models' processes run.
        store: keeps the timings of complete sessions.
        listener: told of every turn.
        fresh: measure again what the store has.
        profile: ``ci``, ``standard`` or ``strict``; see :mod:`evalsuite.profiling.profiles`.

    Raises:
        UnknownNameError: there is no such profile.
    """
    if profile not in PROFILES:
        raise UnknownNameError("profile", profile, PROFILES)
    timings: list[Timings] = []
    missing: list[Missing] = []
    cells = [cell for cell in cells_of(suite, plan.cases) if cell.metric.inputs == Inputs.TIMINGS]
    listener(Event("stage", "profile", total=len({cell.case.key for cell in cells})))
    for target in suite.targets:
        timed = []
        for cell in cells:
            if cell.case.target == target and adapter_of(cell.case).capabilities().timed:
                timed.append(cell)
            elif cell.case.target == target:
                missing.extend(cell.missing(Skipped(f"adapter {cell.case.adapter} has no speed to measure")))
        if timed:
            together = _Together(suite, target, timed, profile)
            kept = None if fresh else together.recall(store)
            if kept is None:
                entrants = together.measure(executor, _turn_reporter(listener))
                kept = together.keep(entrants, store)
                missing.extend(together.failures(entrants))
            else:
                for case in together.cases:
                    listener(Event("cached", "profile", case.key))
            timings.extend(kept)
    for absent in missing:
        listener(Event("missing", "profile", absent.case_key, message=f"{absent.name}: {absent.reason}"))
    return timings, missing


class _Together:
    """The cells of one target, whose models are measured in one session."""

    def __init__(self, suite: Suite, target: str, cells: Sequence[PlannedCell], profile: str) -> None:
        self.suite, self.cells, self.profile = suite, cells, PROFILES[profile]
        self.target = target_of(suite, target)
        self.target_spec = suite.targets[target]
        self.cases = list({cell.case.key: cell.case for cell in cells}.values())
        self.scenarios = frozenset(cast(TimingMetric, cell.metric).scenario for cell in cells)

    def key(self) -> str:
        """SHA-256 of everything known beforehand that can change a timing."""
        return content_key(
            {
                "sources": plugins.sources_hash("profiling", "executors", "targets"),
                "models": [[case.key, case.samples_key] for case in self.cases],
                "target": [self.target_spec.device, self.target_spec.settings],
                "scenarios": sorted(self.scenarios),
                "profile": asdict(self.profile),
                "machine": [describe_machine(), self.target.hardware()],
            }
        )

    def recall(self, store: Store) -> list[Timings] | None:
        """The timings of an earlier session, if nothing has changed since."""
        document = store.read_document(ROOM, self.key())
        return None if document is None else [Timings.model_validate(timing) for timing in document[0]]

    def measure(self, executor: Executor, report: ReportTurn) -> list[Entrant]:
        """Run the session now."""
        entrants = [self._entrant(case) for case in self.cases]
        Session(executor, self.profile, self.scenarios, report).run(entrants)
        return entrants

    def keep(self, entrants: Sequence[Entrant], store: Store) -> list[Timings]:
        """All timings; stored if the session was complete and its models can be told apart from changed ones."""
        timings = [timing for entrant in entrants for timing in entrant.timings]
        complete = all(entrant.error is None for entrant in entrants)
        if complete and all(adapter_of(case).fingerprint() for case in self.cases):
            store.write_document(ROOM, self.key(), [timing.model_dump(mode="json") for timing in timings])
        return timings

    def failures(self, entrants: Sequence[Entrant]) -> list[Missing]:
        errors = {entrant.case_key: entrant.error for entrant in entrants if entrant.error is not None}
        failed = [cell for cell in self.cells if cell.case.key in errors]
        return [gap for cell in failed for gap in cell.missing(errors[cell.case.key])]

    def _entrant(self, case: Case) -> Entrant:
        spec = SubjectSpec(case.adapter, dict(case.settings), self.target_spec.device, dict(self.target_spec.settings))
        return Entrant(case.key, spec, _batch_maker(case, self.suite), self.target.batch_size)


def _batch_maker(case: Case, suite: Suite) -> Callable[[NDArray[np.int64]], Batch]:
    asked = conditions_of(suite).asked_of(adapter_of(case).capabilities())

    def batch_of(ids: NDArray[np.int64]) -> Batch:
        return asked.batch(ids, suite.sampling.seed, case.noise)

    return batch_of


def _turn_reporter(listener: Listener) -> ReportTurn:
    def report(case_key: str, scenario: str, done: int, total: int) -> None:
        listener(Event("progress", "profile", case_key, done, total, scenario))

    return report
