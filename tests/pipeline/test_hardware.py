"""What a machine says about itself, read from copies of the files that such machines have."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.pipeline.hardware import Check, Machine

EPYC = "processor : 0\nflags : fpu avx2 avx512f avx512_bf16 avx512_vnni\n\nprocessor : 1\nflags : x\n"
OLD = "processor : 0\nflags : fpu sse2 avx2\n"
GRAVITON = "processor : 0\nFeatures : fp asimd i8mm bf16 sve\n"


def checks(root: Path, **files: str) -> dict[str, Check]:
    """The checks of a machine whose system has these files; ``__`` stands for a slash."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return {check.name: check for check in Machine(root).checks()}


@pytest.mark.parametrize(
    ("cpuinfo", "vectors", "bfloat16", "int8"),
    [
        (EPYC, "avx512f, avx2", "good", "good"),
        (OLD, "avx2", "limited", "limited"),
        (GRAVITON, "sve, asimd", "good", "good"),
    ],
)
def test_instruction_sets(tmp_path: Path, cpuinfo: str, vectors: str, bfloat16: str, int8: str) -> None:
    found = checks(tmp_path, proc__cpuinfo=cpuinfo)
    assert found["vector instructions"].finding == vectors
    assert (found["bfloat16"].state, found["int8"].state) == (bfloat16, int8)


def test_a_system_that_tells_nothing_is_unknown_not_bad(tmp_path: Path) -> None:
    found = checks(tmp_path)
    assert found["vector instructions"].finding.startswith("unknown")
    assert found["bfloat16"].finding.startswith("unknown")
    assert found["clock speed"].state == "limited"
    assert found["run-queue statistics"].state == "missing"
    assert found["GPU driver"].state == "missing"
    assert not any(check.state == "broken" for check in found.values())


@pytest.mark.parametrize(("governor", "state"), [("performance\n", "good"), ("powersave\n", "limited")])
def test_the_clock(tmp_path: Path, governor: str, state: str) -> None:
    found = checks(tmp_path, sys__devices__system__cpu__cpu0__cpufreq__scaling_governor=governor)["clock speed"]
    assert found.state == state
    assert governor.strip() in found.finding
    assert ("cpupower" in found.advice) == (state == "limited")


def test_limits_of_a_control_group(tmp_path: Path) -> None:
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("50000 100000\n")
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("512000000\n")
    found = checks(tmp_path)
    assert found["cores"].state == "limited"
    assert "0.5 cores' worth of time" in found["cores"].finding
    assert "this process may use 0.5 GB" in found["memory"].finding


def test_no_limits_of_a_control_group(tmp_path: Path) -> None:
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("max 100000\n")
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("max\n")
    found = checks(tmp_path)
    assert "worth" not in found["cores"].finding
    assert found["memory"].state == "good"


def test_driver_and_run_queue(tmp_path: Path) -> None:
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n"
    found = checks(tmp_path, proc__driver__nvidia__version=version, proc__self__schedstat="12 34 5\n")
    assert found["GPU driver"].finding == "NVIDIA 550.54.15"
    assert found["run-queue statistics"].state == "good"


def test_a_busy_machine_is_said_to_be_noisy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (64.0, 64.0, 64.0))
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    load = checks(tmp_path)["load"]
    assert (load.state, load.finding) == ("limited", "64.0 on 4 cores")
    assert "noisy" in load.advice
