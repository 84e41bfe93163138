"""Tasks and workers on this machine, each in a fresh process that shares nothing with the caller but a socket."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
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
    """Runs everything on this machine; the process of the next task gets prepared while the last one runs.

    Attributes:
        workers: tasks of one ``map`` that run at the same time.
    """

    workers: int = Field(default=1, ge=1)

    def map(self, tasks: Sequence[Task]) -> Generator[Progress | Result]:
        """See :class:`evalsuite.executors.contract.Executor`. Abandoning the iterator ends what still runs."""
        waiting = deque(map(_Child, tasks))
        running: list[_Child] = []
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    child = waiting.popleft()
                    try:
                        child.begin()
                    except EvalsuiteError as error:
                        yield Result(child.task.key, error=error)
                    else:
                        running.append(child)
                if waiting:
                    waiting[0].prepare()
                for child in _with_news(running):
                    news = child.news()
                    if isinstance(news, Result):
                        running.remove(child)
                    yield news
        finally:
            for child in [*running, *waiting]:
                child.kill()

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


class _Child:
    """A task and its process.

    Attributes:
        deadline: until when a task that has begun must give a sign of life (``time.monotonic`` seconds).
    """

    def __init__(self, task: Task) -> None:
        self.task, self.deadline = task, math.inf
        self._process: ChildProcess | None = None

    @property
    def process(self) -> ChildProcess:
        if self._process is None:
            self._process = ChildProcess(_task_defaults())
        return self._process

    def prepare(self) -> None:
        """Let the process import its libraries, once; that there can be no process is told when the task begins."""
        if self._process is None and self.task.prepare is not None:
            with suppress(EvalsuiteError):
                self.process.send("prepare", self.task.prepare, ())

    def begin(self) -> None:
        """Let it do the task.

        Raises:
            Failed: there is no process, or the task cannot be sent to it.
        """
        try:
            self.process.send("task", self.task.function, self.task.arguments)
        except BaseException:
            self.kill()
            raise
        self.deadline = time.monotonic() + self.task.timeout_s

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

    def kill(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()


def _task_defaults() -> dict[str, str]:
    """What a task finds in its environment where nothing is set; workers, which are timed, find what users have.

    OpenMP's threads spin while they wait for one another. Once another process wants their core, small steps take up
    to a hundred times as long. So they are to sleep soon, which costs large batches nothing. (libgomp's default is
    300,000 turns.)
    """
    return {} if "OMP_WAIT_POLICY" in os.environ else {"GOMP_SPINCOUNT": "1000"}


def _with_news(running: Sequence[_Child]) -> list[_Child]:
    """Block until some have sent a message, have ended, or have been silent for too long."""
    if not running:
        return []
    patience = min(one.deadline for one in running) - time.monotonic()
    ready = wait([one.process.connection for one in running], max(0.0, patience))
    now = time.monotonic()
    return [one for one in running if one.process.connection in ready or now >= one.deadline]
