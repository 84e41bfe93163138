"""An executor whose workers live in this process: the double for tests of what is asked of workers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from evalsuite.errors import CellError, Failed
from evalsuite.executors.contract import Progress, Result, Task


class InlineWorker:
    def __init__(self, served: Any) -> None:
        self._served = served

    def call(self, method: str, *arguments: Any, timeout_s: float = 600.0) -> Any:
        try:
            return getattr(self._served, method)(*arguments)
        except CellError:
            raise
        except Exception as error:
            raise Failed(f"{type(error).__name__}: {error}") from error


class Inline:
    """See :class:`evalsuite.executors.contract.Executor`; ``opened`` counts the workers."""

    def __init__(self) -> None:
        self.opened = 0

    def map(self, tasks: Sequence[Task]) -> Generator[Progress | Result]:
        for task in tasks:
            yield Result(task.key, value=task.function(*task.arguments, lambda done, total: None))

    @contextmanager
    def open(self, factory: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[InlineWorker]:
        self.opened += 1
        yield InlineWorker(factory(*arguments))
