"""Functions and objects that the executor's tests run in child processes: each ends in its own way."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalsuite.errors import Skipped, Unavailable, UnknownNameError

Report = Callable[[int, int], None]


def add(a: int, b: int, report: Report) -> int:
    report(1, 2)
    report(2, 2)
    return a + b


def leave_word(file: Path, report: Report) -> None:
    atexit.register(file.write_text, "done")


def note(file: Path, word: str) -> None:
    with file.open("a") as stream:
        print(word, os.getpid(), file=stream)


def note_and_raise(file: Path) -> None:
    note(file, "raised")
    raise ValueError("not now")


def sleep_then_note(file: Path, seconds: float, report: Report) -> None:
    time.sleep(seconds)
    note(file, "done")


def variable(name: str, report: Report) -> str | None:
    return os.environ.get(name)


class Environment:
    def variable(self, name: str) -> str | None:
        return os.environ.get(name)


def process_id(report: Report) -> int:
    return os.getpid()


def raise_value_error(report: Report) -> None:
    print("loading weights", file=sys.stderr, flush=True)
    raise ValueError("the weights are odd")


def raise_unavailable(report: Report) -> None:
    raise Unavailable("no such device")


def raise_error_that_does_not_pickle(report: Report) -> None:
    raise UnknownNameError("metric", "fed", ["fid"])


def kill_itself(number: int, report: Report) -> None:
    os.kill(os.getpid(), number)


def leave(code: int, report: Report) -> None:
    os.write(2, b"about to leave\n")
    os._exit(code)


def hang(report: Report) -> None:
    report(1, 3)
    time.sleep(600)


def hang_with_grandchild(pid_file: Path, report: Report) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pid_file.write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)


def report_slowly(report: Report) -> str:
    for done in range(4):
        time.sleep(0.3)
        report(done + 1, 4)
    return "done"


def return_lambda(report: Report) -> Any:
    return lambda: None


def sleep_then_stamp(seconds: float, report: Report) -> tuple[float, float]:
    begin = time.monotonic()
    time.sleep(seconds)
    return begin, time.monotonic()


class Counter:
    """Holds a number in its process."""

    def __init__(self, start: int, closed: Path | None = None) -> None:
        self.value, self.closed = start, closed

    def add(self, step: int) -> int:
        self.value += step
        return self.value

    def fail(self, how: str) -> None:
        if how == "skipped":
            raise Skipped("not for this model")
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "hang":
            time.sleep(600)
        raise RuntimeError("broken")

    def close(self) -> None:
        if self.closed is not None:
            self.closed.touch()


class SlowToMake:
    """Remembers when its making began and ended."""

    def __init__(self, seconds: float) -> None:
        begin = time.monotonic()
        time.sleep(seconds)
        self.times = begin, time.monotonic()

    def made(self) -> tuple[float, float]:
        return self.times


def refuse(reason: str) -> None:
    raise Unavailable(reason)
