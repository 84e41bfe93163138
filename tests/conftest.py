"""What all tests share: a cache of their own, the command line as a user calls it, and a browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALSUITE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_window() -> Iterator[None]:
    """Tests have no terminal, though a worker of pytest says how wide one is."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """Ctrl-C reaches the processes of tests, though a shell starts background jobs with it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Command(Protocol):
    """Runs ``evalsuite ARGUMENTS`` in a process of its own, in the test's folder."""

    def __call__(self, *arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]: ...


def call_evalsuite(
    *arguments: str | Path, cwd: Path, timeout_s: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The real command, with its exit code, stdout and stderr."""
    return subprocess.run(
        [sys.executable, "-m", "evalsuite", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def evalsuite(tmp_path: Path) -> Command:
    """The command, called in ``tmp_path``."""

    def call(*arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        return call_evalsuite(*arguments, cwd=tmp_path, timeout_s=timeout_s)

    return call


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a worker."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(chromium())
        except FileNotFoundError as missing:
            pytest.skip(str(missing))
        yield found
