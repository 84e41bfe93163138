"""Tasks and workers on this machine, each in a fresh process that shares nothing with the caller but a socket."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

from pydantic import Field

from evalsuite.errors import EvalsuiteError
from evalsuite.executors._process import ChildProcess
from evalsuite.executors.contract import Progress, Result, Task
from evalsuite.settings import Settings

START_TIMEOUT_S = 600.0
"""How long a worker may take to make its object: imports and weights on a slow disk included."""


class Local(Settings):
    """Runs everything on this machine.

    Attributes:
        workers: tasks of one ``map`` that run at the same time.
    """

    workers: int = Field(default=1, ge=1)

    def map(self, tasks: Sequence[Task]) -> Generator[Progress | Result]:
        """See :class:`evalsuite.executors.contract.Executor`. Abandoning the iterator ends what still runs."""
        waiting = deque(tasks)
        running: list[_Running] = []
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    task = waiting.popleft()
                    try:
                        running.append(_Running.start(task))
                    except EvalsuiteError as error:
                        yield Result(task.key, error=error)
                for one in _with_news(running):
                    news = one.news()
                    if isinstance(news, Result):
                        running.remove(one)
                    yield news
        finally:
            for one in running:
                one.process.kill()

    @contextmanager
    def open(self, factory: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[LocalWorker]:
        """See :class:`evalsuite.executors.contract.Executor`."""
        process = ChildProcess()
        try:
            process.send("open", factory, arguments)
            yield LocalWorker(process)
            process.finish()
        finally:
            process.kill()


class LocalWorker:
    """The caller's side of a worker; see :class:`evalsuite.executors.contract.Worker`."""

    def __init__(self, process: ChildProcess) -> None:
        self._process, self._ready = process, False

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, method: str, *arguments: Any, timeout_s: float = 600.0) -> Any:
        if not self._ready:
            self._process.receive(START_TIMEOUT_S)
            self._ready = True
        self._process.send("call", method, arguments)
        _, value = self._process.receive(timeout_s)
        return value


@dataclass
class _Running:
    """A task in its process, and until when it must give a sign of life (``time.monotonic`` seconds)."""

    task: Task
    process: ChildProcess
    deadline: float

    @classmethod
    def start(cls, task: Task) -> _Running:
        process = ChildProcess(_task_defaults())
        try:
            process.send("task", task.function, task.arguments)
        except BaseException:
            process.kill()
            raise
        return cls(task, process, time.monotonic() + task.timeout_s)

    def news(self) -> Progress | Result:
        """The message that has arrived, or the end of the process: by itself or because its time is over."""
        try:
            kind, value = self.process.receive(self.task.timeout_s, deadline=self.deadline)
        except EvalsuiteError as error:
            return Result(self.task.key, error=error)
        if kind == "progress":
            self.deadline = time.monotonic() + self.task.timeout_s
            return Progress(self.task.key, *value)
        self.process.finish()
        return Result(self.task.key, value=value)


def _task_defaults() -> dict[str, str]:
    """What a task finds in its environment where nothing is set; workers, which are timed, find what users have.

    OpenMP's threads spin while they wait for one another. Once another process wants their core, small steps take up
    to a hundred times as long. So they are to sleep soon, which costs large batches nothing. (libgomp's default is
    300,000 turns.)
    """
    return {} if "OMP_WAIT_POLICY" in os.environ else {"GOMP_SPINCOUNT": "1000"}


def _with_news(running: Sequence[_Running]) -> list[_Running]:
    """Block until some have sent a message, have ended, or have been silent for too long."""
    if not running:
        return []
    patience = min(one.deadline for one in running) - time.monotonic()
    ready = wait([one.process.connection for one in running], max(0.0, patience))
    now = time.monotonic()
    return [one for one in running if one.process.connection in ready or now >= one.deadline]
