"""Which models fit in memory together."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.profiling import room
from evalsuite.profiling.room import DEVICE_CONTEXT, Need, available_bytes, fit

GB = 10**9


@pytest.mark.parametrize(("host_gb", "fits"), [(10.0, True), (6.7, True), (6.6, False)])
def test_host_memory_with_a_margin(host_gb: float, fits: bool) -> None:
    assert fit([Need(4 * GB), Need(2 * GB)], round(host_gb * GB)) == fits


@pytest.mark.parametrize(("device_gb", "fits"), [(80, True), (20, False)])
def test_device_memory_with_its_contexts(device_gb: int, fits: bool) -> None:
    needs = [Need(GB, 9 * GB, device_gb * GB)] * 2
    assert fit(needs, 100 * GB) == fits
    exactly = round((18 * GB + 2 * DEVICE_CONTEXT) / (1 - room.MARGIN))
    assert fit([Need(GB, 9 * GB, exactly + 1)] * 2, 100 * GB)
    assert not fit([Need(GB, 9 * GB, exactly - 9)] * 2, 100 * GB)


def test_limit_of_a_container_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "_CGROUP", tmp_path)
    system = available_bytes()
    assert system > 0
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes() > 10_000
    (tmp_path / "memory.max").write_text("5000\n")
    assert available_bytes() == 4000
