"""Where models are when it is their turn: in processes that stay alive, or in one for each turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from evalsuite.profiling import room
from evalsuite.profiling.entrant import Entrant, Runner, present
from evalsuite.profiling.room import Need

OpenOne = Callable[[Entrant], AbstractContextManager[Runner]]


@dataclass(frozen=True)
class Seats:
    """The entrants' processes.

    Attributes:
        alive: the live ones by case key; None where each turn has a process of its own.
        open_one: opens a process.
    """

    alive: Mapping[str, Runner] | None
    open_one: OpenOne

    def seat(self, entrant: Entrant) -> AbstractContextManager[Runner]:
        """The entrant's process, ready; it may end with the context."""
        return self._opened(entrant) if self.alive is None else nullcontext(self.alive[entrant.case_key])

    @contextmanager
    def _opened(self, entrant: Entrant) -> Iterator[Runner]:
        with self.open_one(entrant) as runner:
            runner.arrive()
            yield runner


def all_alive(
    entrants: Sequence[Entrant], open_one: OpenOne, needs: Mapping[str, Need], host_bytes: int, stack: ExitStack
) -> dict[str, Runner] | None:
    """Processes of all entrants, opened on the stack: they start together and load one after another. None as soon as
    it is clear that they do not fit in memory together.

    Args:
        entrants: those who are still there.
        open_one: opens a process.
        needs: what models are known to need, by case key. Models of which nothing is known load one after another, and
            those that have loaded tell: a student needs no more than its teacher.
        host_bytes: memory that is left for all of them.
        stack: closes the processes.
    """
    known = dict(needs)

    def fit() -> bool:
        most = max(known.values(), default=Need(0))
        return len(entrants) <= 1 or room.fit([known.get(one.case_key, most) for one in entrants], host_bytes)

    if not fit():
        return None
    alive: dict[str, Runner] = {}
    for entrant in entrants:
        with entrant.dropping_out():
            alive[entrant.case_key] = stack.enter_context(open_one(entrant))
    for entrant in present(entrants):
        if not fit():
            return None
        with entrant.dropping_out():
            alive[entrant.case_key].arrive()
            known.setdefault(entrant.case_key, alive[entrant.case_key].need())
    return alive
