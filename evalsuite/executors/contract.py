"""What an executor is: it runs tasks in processes of their own, so that a crash ends one cell and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Task:
    """A picklable, idempotent piece of work.

    Attributes:
        key: names it in results and messages.
        function: importable by name; called as ``function(*arguments, report)`` in a fresh process, where
            ``report(done: int, total: int)`` tells progress and proves that the process is alive.
        arguments: picklable.
        timeout_s: ended if it reports nothing for so long.
        prepare: picklable; may be called in the task's process while those before it still run, to import libraries.
            What it raises is forgotten, since the function will meet it again.
    """

    key: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    timeout_s: float = 600.0
    prepare: Callable[[], None] | None = None


@dataclass(frozen=True)
class Progress:
    """A task is alive: ``done`` of ``total`` units are finished."""

    key: str
    done: int
    total: int


@dataclass(frozen=True)
class Result:
    """A task ended: with a value, or with an error (never both)."""

    key: str
    value: Any = None
    error: Exception | None = None


class Worker(Protocol):
    """A live process that holds one object and answers calls one at a time; blocked while it waits."""

    def call(self, method: str, *arguments: Any, timeout_s: float = 600.0) -> Any:
        """Call a method of the object.

        Raises:
            Failed: the process raised, died, or did not answer in time; it is ended then.
            CellError: the same kind that the object raised.
        """
        ...


class Executor(Protocol):
    """Where tasks run."""

    def map(self, tasks: Sequence[Task]) -> Generator[Progress | Result]:
        """Run all tasks, one result each; a failed task does not stop the others. Closing it ends what still runs."""
        ...

    def open(self, factory: Callable[..., Any], arguments: tuple[Any, ...]) -> AbstractContextManager[Worker]:
        """A worker whose object is ``factory(*arguments)``, made in a fresh process.

        Does not wait for the object, so that several can be made at the same time; the first call does, and raises
        what the factory raised. The object's ``close()``, where it has one, is called when the context ends without
        an error.

        Raises:
            Failed: no process could be started.
        """
        ...
