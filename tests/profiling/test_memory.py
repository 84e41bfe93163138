"""Peak memory of a process, in processes of their own because the peak of this one belongs to all tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evalsuite.profiling import memory
from evalsuite.profiling.memory import PeakMemory

BEGIN = "import numpy as np; from evalsuite.profiling.memory import PeakMemory\n"
MB = 10**6
resettable = pytest.mark.skipif(PeakMemory().source != "VmHWM", reason="the peak of a process cannot be reset here")


def peak_of(code: str) -> float:
    """Megabytes that a script prints."""
    command = [sys.executable, "-c", BEGIN + code + "\nprint(peak.above_idle())"]
    root = Path(__file__).parents[2]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=root).stdout) / MB


@pytest.mark.parametrize("megabytes", [50, 200])
def test_allocation_shows_at_its_size(megabytes: int) -> None:
    assert peak_of(f"peak = PeakMemory(); kept = np.ones({megabytes * MB}, np.uint8)") == pytest.approx(
        megabytes, rel=0.1
    )


def test_allocation_that_is_freed_again_still_shows() -> None:
    assert peak_of(f"peak = PeakMemory(); freed = np.ones({200 * MB}, np.uint8); del freed") == pytest.approx(
        200, rel=0.1
    )


@resettable
def test_larger_allocation_before_does_not_hide_it() -> None:
    before = f"before = np.ones({300 * MB}, np.uint8); del before\n"
    assert peak_of(before + f"peak = PeakMemory(); kept = np.ones({100 * MB}, np.uint8)") == pytest.approx(100, rel=0.1)


def test_nothing_allocated_is_nothing() -> None:
    assert peak_of("peak = PeakMemory()") < 5


def test_machine_that_cannot_reset_the_peak_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_CLEAR_REFS", tmp_path / "absent" / "clear_refs")
    peak = PeakMemory()
    assert peak.source == "ru_maxrss"
    assert peak.above_idle() >= 0
