"""Where models are when it is their turn: in processes that stay alive, or in one for each turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from evalsuite.profiling.entrant import Entrant, Runner

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
