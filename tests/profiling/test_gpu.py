"""Who else computes on a GPU, as NVIDIA's library tells."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from evalsuite.profiling.gpu import device_uuid, other_processes


class NvmlError(Exception): ...


def nvml(running: dict[str, int], **changes: Any) -> SimpleNamespace:
    def processes(handle: str) -> list[None]:
        return [None] * running[handle]

    functions = {
        "NVMLError": NvmlError,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetHandleByUUID": lambda uuid: uuid,
        "nvmlDeviceGetComputeRunningProcesses": processes,
    }
    return SimpleNamespace(**functions | changes)


def test_processes_of_the_devices_that_were_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml({"GPU-a": 2, "GPU-b": 1, "GPU-c": 9}))
    assert other_processes({"a", "b"}) == 3
    assert other_processes({"a"}) == 2
    assert other_processes(set()) == 0


def test_machine_without_a_driver_or_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise NvmlError("driver not loaded")

    monkeypatch.setitem(sys.modules, "pynvml", nvml({}, nvmlInit=fail))
    assert other_processes({"a"}) == 0
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert other_processes({"a"}) == 0


def test_processor_has_no_uuid() -> None:
    assert device_uuid("cpu") == ""
