"""One session: all models of a target, measured in all scenarios, each in processes of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from evalsuite.errors import CellError
from evalsuite.executors.contract import Executor
from evalsuite.files import content_key
from evalsuite.profiles import ProfileName
from evalsuite.profiling import room
from evalsuite.profiling.bounds import BOUNDS
from evalsuite.profiling.entrant import Entrant, Runner, SampleIds, present
from evalsuite.profiling.gpu import other_processes
from evalsuite.profiling.room import Need
from evalsuite.profiling.seats import Seats
from evalsuite.profiling.subject import Subject, Turn
from evalsuite.profiling.turns import PROCESSES, in_turns, shares
from evalsuite.profiling.verdict import Schedule, timings_of
from evalsuite.scenarios.contract import Pace, Scenario

ReportTurn = Callable[[str, str, int, int], None]
"""Called with case key, scenario, turns (or processes) done, and how many there will be."""

Turns = dict[str, list[Turn]]
"""What came of a scenario so far, by case key."""


@dataclass
class _Course:
    """How far a session has come.

    Attributes:
        turns: by scenario.
        ids: the samples of each model, by case key; none comes twice.
        calls: of each turn, by scenario and case key; decided once.
        needs: memory of each model that has been loaded, by case key.
        blocks: whether it has turned out that the models do not fit in memory together.
    """

    turns: dict[str, Turns]
    ids: dict[str, SampleIds]
    calls: dict[tuple[str, str], int] = field(default_factory=dict)
    needs: dict[str, Need] = field(default_factory=dict)
    blocks: bool = False


class _Generation(NamedTuple):
    """What is measured in one process of each model.

    Attributes:
        alone: scenarios of fresh processes.
        turns: rounds of each scenario of turns; empty where none are taken.
    """

    alone: list[str]
    turns: dict[str, range]


@dataclass(frozen=True)
class Session:
    """Measures entrants in the given scenarios; one that fails drops out and the others go on.

    A model has several processes, one after another. In each, the scenarios of fresh processes come first, while
    nothing else does anything; then its share of the turns. Where not all models fit in memory together, each is loaded
    for each of its turns.

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
        course = _Course(
            {text: {entrant.case_key: [] for entrant in entrants} for text in self.scenarios},
            {entrant.case_key: SampleIds() for entrant in entrants},
        )
        generations = self._generations(entrants)
        for generation in generations:
            with ExitStack() as staying:
                alive = self._in_fresh_processes(entrants, generation, course, host_bytes, staying)
                seats = Seats(alive, lambda entrant: self._process(entrant, course))
                for text, rounds in generation.turns.items():
                    self._take_turns(seats, entrants, text, rounds, course)
                if generation.turns and generation is generations[-1]:
                    self._audit(seats, entrants)
        for text, turns in course.turns.items():
            self._conclude(entrants, text, turns, course.blocks)
        others = other_processes({entrant.device_uuid for entrant in entrants if entrant.device_uuid})
        for entrant in entrants:
            entrant.judge(others, forgiven=not BOUNDS[self.profile].alone)

    def _generations(self, entrants: Sequence[Entrant]) -> list[_Generation]:
        """What each process of a model does; the last of them share the turns."""
        alone = list(self._shared_processes())
        texts = sorted(self._of_kind(turns=True), key=lambda text: self._size(text, entrants))
        parts = {text: shares(self._pace(text).rounds, PROCESSES[self.profile]) for text in texts}
        count = max([len(alone), *map(len, parts.values())])
        generations = [_Generation(one, {}) for one in [*alone, *([[]] * (count - len(alone)))]]
        for text, of_each in parts.items():
            for generation, rounds in zip(generations[-len(of_each) :], of_each, strict=True):
                generation.turns[text] = rounds
        return generations

    def _pace(self, text: str) -> Pace:
        return self.scenarios[text].pace(self.profile)

    def _of_kind(self, *, turns: bool) -> list[str]:
        return [text for text, scenario in self.scenarios.items() if (scenario.kind == "turns") == turns]

    def _shared_processes(self) -> Iterator[list[str]]:
        """What is measured in each process of a model: at most one that is about the first call, which comes first."""
        left = {text: self._pace(text).rounds for text in self._of_kind(turns=False)}
        while any(left.values()):
            wanted = [text for text, rounds in left.items() if rounds]
            first = [text for text in wanted if self.scenarios[text].kind == "start"][:1]
            sharing = first + [text for text in wanted if self.scenarios[text].kind != "start"]
            for text in sharing:
                left[text] -= 1
            yield sharing

    def _size(self, text: str, entrants: Sequence[Entrant]) -> tuple[int, str]:
        """Small batches come before large ones have heated the machine."""
        of_target = max((entrant.batch_size for entrant in entrants), default=1)
        return self.scenarios[text].images_per_call(of_target), text

    # --- fresh processes ---

    def _in_fresh_processes(
        self,
        entrants: Sequence[Entrant],
        generation: _Generation,
        course: _Course,
        host_bytes: int,
        staying: ExitStack,
    ) -> dict[str, Runner] | None:
        """Measure what each is measured alone in.

        Returns:
            the processes that stay on the stack to take turns, by case key; None if there are no turns, or it is clear
            that the models do not fit in memory together.
        """
        alive = dict[str, Runner]()

        def may_stay() -> bool:
            keys = [entrant.case_key for entrant in present(entrants)]
            if not course.blocks and not room.fit_together(keys, course.needs, host_bytes):
                course.blocks = True
                staying.close()
            return bool(generation.turns) and not course.blocks

        if not may_stay() and not generation.alone:
            return None
        with closing(self._started(present(entrants), course)) as started:
            for runner, process in started:
                entrant = runner.entrant
                may_stay()  # or those that stayed make room before the next one loads
                with entrant.dropping_out(), process:
                    runner.arrive()
                    for text in generation.alone:
                        self._measure(runner, text, len(course.turns[text][entrant.case_key]), course)
                    course.needs[entrant.case_key] = runner.need()
                    if may_stay():
                        alive[entrant.case_key] = runner
                        staying.enter_context(process.pop_all())
        return alive if may_stay() else None

    def _started(self, entrants: Sequence[Entrant], course: _Course) -> Generator[tuple[Runner, ExitStack]]:
        """A fresh process of each, about to load its model, and what ends it; nothing else runs at that time.

        Interpreters and libraries take longer to start than most models to load, so several start together: more than
        there are processors, which would stand idle while the last of them starts.
        """
        together = 2 * (os.cpu_count() or 1)
        for first in range(0, len(entrants), together):
            with ExitStack() as stack:
                group: list[tuple[Runner, ExitStack]] = []
                for entrant in entrants[first : first + together]:
                    with entrant.dropping_out():
                        process = stack.enter_context(ExitStack())
                        group.append((process.enter_context(self._process(entrant, course)), process))
                for runner, _ in group:
                    with runner.entrant.dropping_out():
                        runner.ready()
                yield from ((runner, process) for runner, process in group if runner.entrant.error is None)

    @contextmanager
    def _process(self, entrant: Entrant, course: _Course) -> Iterator[Runner]:
        libraries = {name for scenario in self.scenarios.values() for name in getattr(scenario, "libraries", ())}
        with self.executor.open(Subject, (entrant.spec, sorted(libraries))) as worker:
            yield Runner(entrant, worker, course.ids[entrant.case_key], self.patience_s)

    # --- turns ---

    def _take_turns(self, seats: Seats, entrants: Sequence[Entrant], text: str, rounds: range, course: _Course) -> None:
        if seats.alive is not None and rounds:
            for entrant in present(entrants):
                if entrant.takes_part(text):
                    with entrant.dropping_out(), seats.seat(entrant) as runner:
                        self._warm_up(runner, text, course)
        for number, entrant in in_turns(entrants, rounds):
            if entrant.takes_part(text):
                with entrant.dropping_out(), seats.seat(entrant) as runner:
                    if seats.alive is None:
                        self._warm_up(runner, text, course)
                    self._measure(runner, text, number, course, course.calls[text, entrant.case_key])

    def _warm_up(self, runner: Runner, text: str, course: _Course) -> None:
        """Untimed calls, of which the first time decides how many timed ones every turn has."""
        scenario, pace = self.scenarios[text], self._pace(text)
        fastest_s = runner.warm_up(scenario, pace.warmups)
        course.calls.setdefault((text, runner.entrant.case_key), pace.calls_per_turn(fastest_s))

    def _audit(self, seats: Seats, entrants: Sequence[Entrant]) -> None:
        for entrant in present(entrants):
            with entrant.dropping_out(), seats.seat(entrant) as runner:
                runner.audit(BOUNDS[self.profile].audited)

    # --- both ---

    def _measure(self, runner: Runner, text: str, number: int, course: _Course, calls: int | None = None) -> None:
        """One turn of one entrant."""
        scenario, pace, entrant = self.scenarios[text], self._pace(text), runner.entrant
        if not entrant.takes_part(text):
            return
        turn = runner.measure(
            scenario, lead_in=pace.lead_in, calls=calls or pace.calls, seed=self._seed_of(text, number)
        )
        if isinstance(turn, CellError):
            entrant.gaps[text] = turn
        else:
            entrant.check(turn)
            course.turns[text][entrant.case_key].append(turn)
            self.report(entrant.case_key, text, number + 1, pace.rounds)

    def _seed_of(self, text: str, number: int) -> int:
        """Equal for all models; a stream of its own for each scenario, and apart from those of the samples."""
        return int(content_key([self.seed, text, number])[:15], 16)

    def _conclude(self, entrants: Sequence[Entrant], text: str, turns: Turns, blocks: bool) -> None:
        scenario = self.scenarios[text]
        schedule: Schedule = "processes" if scenario.kind != "turns" else "blocks" if blocks else "turns"
        for entrant in entrants:
            if entrant.takes_part(text):
                found = turns[entrant.case_key]
                entrant.timings.extend(timings_of(entrant, text, scenario, self.profile, found, schedule))
