"""The child's side of an executor: take one order, do it, answer; end at once when the parent is gone.

Run as ``python -m evalsuite.executors._child SOCKET LIFELINE`` with two inherited file descriptors.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from evalsuite.errors import EvalsuiteError


def main(socket: int, lifeline: int) -> None:
    """Serve one task, for which it may get prepared, or one worker until the parent hangs up."""
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    with Connection(socket) as connection:
        try:
            kind, subject, arguments = connection.recv()
            if kind == "prepare":
                with suppress(Exception):
                    subject(*arguments)
                kind, subject, arguments = connection.recv()
            if kind == "task":
                _answer(
                    connection, subject(*arguments, lambda done, total: connection.send(("progress", (done, total))))
                )
            else:
                _serve(connection, subject(*arguments))
        except Exception as error:
            connection.send(("error", _portable(error)))


def _serve(connection: Connection, served: Any) -> None:
    """Answer calls of the object's methods until the parent hangs up; an exception ends the service."""
    _answer(connection, None)
    try:
        while True:
            try:
                _, method, arguments = connection.recv()
            except EOFError:
                return
            _answer(connection, getattr(served, method)(*arguments))
    finally:
        getattr(served, "close", lambda: None)()


def _answer(connection: Connection, value: Any) -> None:
    try:
        connection.send(("value", value))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise TypeError(f"a {type(value).__name__} cannot be sent to another process: {error}") from error


def _portable(error: Exception) -> EvalsuiteError | str:
    """Our own errors as they are, where they survive pickling; a sentence with the place for all others."""
    if isinstance(error, EvalsuiteError):
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            return f"{type(error).__name__}: {error}"
        return error
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"


def _end_with_parent(lifeline: int) -> None:
    """Nothing is ever written to the pipe: the read returns when the parent's end is closed, even by ``kill -9``."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
    # All is answered and closed. Large libraries would take up to a second to be torn down, for nothing.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
