"""The parent's side of one child process: start it, talk to it, and say in a sentence why it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Pipe
from pathlib import Path
from types import MappingProxyType
from typing import Any

from evalsuite.errors import EvalsuiteError, Failed

FINISH_TIMEOUT_S = 5.0
"""How long a child may take to leave after its work is done."""

TAIL_CHARACTERS = 400
"""How much of a child's last output goes into the message about its failure."""


class ChildProcess:
    """A fresh interpreter running :mod:`evalsuite.executors._child`, in a session of its own.

    Its own session keeps Ctrl-C from it (the parent decides) and lets the parent end all that it started. It ends
    itself when the parent dies, because it watches a pipe that only the parent holds open. What it prints goes to a
    temporary file, for the message if it fails.

    Args:
        defaults: of environment variables, for those that are not set.

    Raises:
        Failed: it cannot be started.
    """

    def __init__(self, defaults: Mapping[str, str] = MappingProxyType({})) -> None:
        self.connection, theirs = Pipe()
        watched, self._lifeline = os.pipe()
        path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill()
        self._tail = ""
        self._ended = False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "evalsuite.executors._child", str(theirs.fileno()), str(watched)],
                pass_fds=(theirs.fileno(), watched),
                env={**defaults, **os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._close()
            raise Failed(f"cannot start a process: {error.strerror or error}") from error
        finally:
            theirs.close()
            os.close(watched)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, kind: str, subject: Any, arguments: tuple[Any, ...]) -> None:
        """Send one order.

        Raises:
            Failed: the process has ended, or the order cannot be pickled.
        """
        if self._ended:
            raise Failed("the process has already ended")
        try:
            self.connection.send((kind, subject, arguments))
        except OSError as error:
            raise self._death() from error
        except Exception as error:
            raise Failed(f"cannot be sent to another process: {type(error).__name__}: {error}") from error

    def receive(self, timeout_s: float, *, deadline: float | None = None) -> tuple[str, Any]:
        """Block until the next message: its kind (``progress``, ``value``) and content.

        Args:
            timeout_s: seconds of silence that are allowed.
            deadline: when the silence is too long, in ``time.monotonic`` seconds, where it began before this call.

        Raises:
            EvalsuiteError: what the child raised, if it was one of ours; the process is ended then.
            Failed: it raised anything else, died, or was silent for too long; it is ended then.
        """
        if self._ended:
            raise Failed("the process has already ended")
        patience = timeout_s if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            message: tuple[str, Any] = self.connection.recv() if self.connection.poll(patience) else ("silence", None)
        except (EOFError, OSError) as error:
            raise self._death() from error
        except Exception as error:
            self.kill()
            raise Failed(f"its answer cannot be read: {type(error).__name__}: {error}") from error
        kind, value = message
        if kind == "silence":
            self.kill()
            raise self._failed(f"gave no sign of life for {timeout_s:g} s and was ended")
        if kind == "error":
            self.kill()
            raise value if isinstance(value, EvalsuiteError) else self._failed(value)
        return kind, value

    def finish(self) -> None:
        """Let the process leave by itself, and end it if it does not."""
        self.connection.close()
        self._await_end()
        self.kill()

    def kill(self) -> None:
        """End the process and all that it started, now. May be called again."""
        if self._ended:
            return
        self._ended = True
        with suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter of zombies
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._tail = self._read_tail()
        self._close()

    def _close(self) -> None:
        self.connection.close()
        os.close(self._lifeline)
        self._output.close()

    def _await_end(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(FINISH_TIMEOUT_S)

    def _death(self) -> Failed:
        """Why the process closed the connection without being told to."""
        self._await_end()
        self.kill()
        code = self._process.returncode
        if code >= 0:
            return self._failed(f"ended with exit code {code} before it answered")
        name = signal.Signals(-code).name
        return self._failed(f"killed by {name}" + (", probably out of memory" if name == "SIGKILL" else ""))

    def _failed(self, reason: str) -> Failed:
        return Failed(reason + (f"; its last output: {self._tail}" if self._tail else ""))

    def _read_tail(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - 10 * TAIL_CHARACTERS))
        lines = self._output.read().decode("utf-8", "replace").split("\n")
        return " | ".join(line.strip() for line in lines if line.strip())[-TAIL_CHARACTERS:]
