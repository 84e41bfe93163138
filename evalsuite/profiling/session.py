"""One session: all models of a target, measured in all scenarios, each in processes of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass

from evalsuite.errors import CellError
from evalsuite.executors.contract import Executor
from evalsuite.files import content_key
from evalsuite.profiling import room
from evalsuite.profiling.bounds import BOUNDS
from evalsuite.profiling.entrant import Entrant, Runner, SampleIds, present
from evalsuite.profiling.gpu import other_processes
from evalsuite.profiling.room import Need
from evalsuite.profiling.seats import Seats, all_alive
from evalsuite.profiling.subject import Subject, Turn
from evalsuite.profiling.turns import abba
from evalsuite.profiling.verdict import Schedule, timings_of
from evalsuite.scenarios.contract import ProfileName, Scenario

ReportTurn = Callable[[str, str, int, int], None]
"""Called with case key, scenario, turns (or processes) done, and how many there will be."""

Turns = dict[str, list[Turn]]
"""What came of a scenario so far, by case key."""


@dataclass(frozen=True)
class Session:
    """Measures entrants in the given scenarios; one that fails drops out and the others go on.

    First those of fresh processes, of which one at a time does anything; then those of live processes, the last of the
    fresh ones where there are any, which take turns. Where not all models fit in memory together, each is loaded for
    each of its turns.

    Attributes:
        executor: where processes run.
        profile: how much is measured.
        scenarios: by the text that names them.
        seed: from which the seeds of rounds follow.
        patience_s: silence after which a model counts as hung: in one turn, or while it warms up.
        report: told of every turn.
    """

    executor: Executor
    profile: ProfileName
    scenarios: Mapping[str, Scenario]
    seed: int
    patience_s: float
    report: ReportTurn

    def run(self, entrants: Sequence[Entrant]) -> None:
        """Fill in ``timings``, ``findings``, ``gaps`` or ``error`` of every entrant."""
        host_bytes = room.available_bytes()
        with ExitStack() as staying:
            needs, alive = self._in_fresh_processes(entrants, host_bytes, staying)
            if self._in_turns():
                with self._seats(entrants, needs, alive, host_bytes) as seats:
                    for text in sorted(self._in_turns(), key=lambda text: self._size(text, entrants)):
                        self._take_turns(seats, entrants, text)
                    for entrant in present(entrants):
                        with entrant.dropping_out(), seats.seat(entrant) as runner:
                            runner.audit(BOUNDS[self.profile].audited)
        others = other_processes({entrant.device_uuid for entrant in entrants if entrant.device_uuid})
        for entrant in entrants:
            entrant.judge(others, forgiven=not BOUNDS[self.profile].alone)

    # --- fresh processes ---

    def _in_fresh_processes(
        self, entrants: Sequence[Entrant], host_bytes: int, staying: ExitStack
    ) -> tuple[dict[str, Need], dict[str, Runner]]:
        """What each model needed there; and, on the stack, the last process of each, to take turns if all of them fit
        in memory together. Both by case key."""
        needs, alive = dict[str, Need](), dict[str, Runner]()
        turns: dict[str, Turns] = {text: {e.case_key: [] for e in entrants} for text in self._of_processes()}
        rounds = list(self._shared_processes())
        for number, sharing in enumerate(rounds, start=1):
            last = number == len(rounds) > 1 and bool(self._in_turns())
            stay = last and room.fit([needs[entrant.case_key] for entrant in present(entrants)], host_bytes)
            with closing(self._started(present(entrants))) as started:
                for runner, process in started:
                    entrant = runner.entrant
                    with entrant.dropping_out(), process:
                        runner.arrive()
                        for text in sharing:
                            self._measure(runner, text, len(turns[text][entrant.case_key]), turns[text])
                        needs[entrant.case_key] = runner.need()
                        if stay:
                            alive[entrant.case_key] = runner
                            staying.enter_context(process.pop_all())
        for text, found in turns.items():
            self._conclude(entrants, text, found, "processes")
        return needs, alive

    def _in_turns(self) -> list[str]:
        return [text for text, scenario in self.scenarios.items() if scenario.kind == "turns"]

    def _of_processes(self) -> list[str]:
        return [text for text, scenario in self.scenarios.items() if scenario.kind != "turns"]

    def _shared_processes(self) -> Iterator[list[str]]:
        """What is measured in each process of a model: at most one that is about the first call, which comes first."""
        left = {text: self.scenarios[text].pace(self.profile).rounds for text in self._of_processes()}
        while any(left.values()):
            wanted = [text for text, rounds in left.items() if rounds]
            first = [text for text in wanted if self.scenarios[text].kind == "start"][:1]
            sharing = first + [text for text in wanted if self.scenarios[text].kind != "start"]
            for text in sharing:
                left[text] -= 1
            yield sharing

    def _started(self, entrants: Sequence[Entrant]) -> Generator[tuple[Runner, ExitStack]]:
        """A fresh process of each, about to load its model, and what ends it; nothing else runs at that time.

        Interpreters and libraries take longer to start than most models to load, so as many processes as there are
        processors start together.
        """
        together = os.cpu_count() or 1
        for first in range(0, len(entrants), together):
            with ExitStack() as stack:
                group: list[tuple[Runner, ExitStack]] = []
                for entrant in entrants[first : first + together]:
                    with entrant.dropping_out():
                        process = stack.enter_context(ExitStack())
                        group.append((process.enter_context(self._process(entrant, SampleIds())), process))
                for runner, _ in group:
                    with runner.entrant.dropping_out():
                        runner.ready()
                yield from ((runner, process) for runner, process in group if runner.entrant.error is None)

    @contextmanager
    def _process(self, entrant: Entrant, ids: SampleIds) -> Iterator[Runner]:
        with self.executor.open(Subject, (entrant.spec,)) as worker:
            yield Runner(entrant, worker, ids, self.patience_s)

    # --- live processes ---

    @contextmanager
    def _seats(
        self, entrants: Sequence[Entrant], needs: Mapping[str, Need], alive: Mapping[str, Runner], host_bytes: int
    ) -> Iterator[Seats]:
        """Processes that stay alive, if all fit in memory; a place to open one for each turn, if not."""
        ids = {entrant.case_key: SampleIds() for entrant in entrants}

        def open_one(entrant: Entrant) -> AbstractContextManager[Runner]:
            return self._process(entrant, ids[entrant.case_key])

        with ExitStack() as stack:
            seated = alive or all_alive(present(entrants), open_one, dict(needs), host_bytes, stack)
            if seated is None:
                stack.close()
            yield Seats(seated, open_one)

    def _size(self, text: str, entrants: Sequence[Entrant]) -> tuple[int, str]:
        """Small batches come before large ones have heated the machine."""
        of_target = max((entrant.batch_size for entrant in entrants), default=1)
        return self.scenarios[text].images_per_call(of_target), text

    def _take_turns(self, seats: Seats, entrants: Sequence[Entrant], text: str) -> None:
        pace = self.scenarios[text].pace(self.profile)
        calls: dict[str, int] = {}
        turns: Turns = {entrant.case_key: [] for entrant in entrants}
        if seats.alive is not None:
            for entrant in present(entrants):
                with entrant.dropping_out(), seats.seat(entrant) as runner:
                    self._warm_up(runner, text, calls)
        for number, entrant in abba(entrants, pace.rounds):
            if entrant.takes_part(text):
                with entrant.dropping_out(), seats.seat(entrant) as runner:
                    if seats.alive is None:
                        self._warm_up(runner, text, calls)
                    self._measure(runner, text, number, turns, calls[entrant.case_key])
        self._conclude(entrants, text, turns, "blocks" if seats.alive is None else "turns")

    def _warm_up(self, runner: Runner, text: str, calls: dict[str, int]) -> None:
        """Untimed calls, of which the first time decides how many timed ones every turn has."""
        scenario, pace = self.scenarios[text], self.scenarios[text].pace(self.profile)
        fastest_s = runner.warm_up(scenario, pace.warmups)
        calls.setdefault(runner.entrant.case_key, pace.calls_per_turn(fastest_s))

    # --- both ---

    def _measure(self, runner: Runner, text: str, number: int, turns: Turns, calls: int | None = None) -> None:
        """One turn of one entrant."""
        scenario, pace, entrant = self.scenarios[text], self.scenarios[text].pace(self.profile), runner.entrant
        if not entrant.takes_part(text):
            return
        turn = runner.measure(
            scenario, lead_in=pace.lead_in, calls=calls or pace.calls, seed=self._seed_of(text, number)
        )
        if isinstance(turn, CellError):
            entrant.gaps[text] = turn
        else:
            entrant.check(turn)
            turns[entrant.case_key].append(turn)
            self.report(entrant.case_key, text, number + 1, pace.rounds)

    def _seed_of(self, text: str, number: int) -> int:
        """Equal for all models; a stream of its own for each scenario, and apart from those of the samples."""
        return int(content_key([self.seed, text, number])[:15], 16)

    def _conclude(self, entrants: Sequence[Entrant], text: str, turns: Turns, schedule: Schedule) -> None:
        for entrant in entrants:
            if entrant.takes_part(text):
                scenario, found = self.scenarios[text], turns[entrant.case_key]
                entrant.timings.extend(timings_of(entrant, text, scenario, self.profile, found, schedule))
