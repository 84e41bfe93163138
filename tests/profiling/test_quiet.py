"""The clock's speed, and who else wants the processor."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from evalsuite.profiling import quiet
from evalsuite.profiling.quiet import ProcessorTime, ReferenceComputation
from evalsuite.targets.cpu import Cpu

linux = pytest.mark.skipif(ProcessorTime.now() is None, reason="the system does not tell who waits")


def test_reference_computation_takes_a_time() -> None:
    assert 0 < ReferenceComputation(Cpu()).seconds() < 1


def test_share_of_the_time_that_threads_waited() -> None:
    assert ProcessorTime(3.0, 1.5).share_waited(since=ProcessorTime(1.0, 0.5)) == pytest.approx(1 / 3)
    assert ProcessorTime(1.0, 0.5).share_waited(since=ProcessorTime(1.0, 0.5)) == 0


@linux
def test_process_that_shares_its_core_waits() -> None:
    """Two that want the same core get half of it each."""
    code = (
        "import os, time\nfrom evalsuite.profiling.quiet import ProcessorTime\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "if (child := os.fork()) == 0:\n    while True: pass\n"
        "before = ProcessorTime.now(); end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
        "print(ProcessorTime.now().share_waited(before)); os.kill(child, 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) > 0.3


@linux
def test_sleeping_is_not_waiting() -> None:
    before = ProcessorTime.now()
    time.sleep(0.05)
    after = ProcessorTime.now()
    assert before is not None
    assert after is not None
    assert after.waited - before.waited < 0.05


def test_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quiet, "_TASKS", tmp_path / "absent")
    assert ProcessorTime.now() is None
