"""The machine and the library versions of a run, without importing the libraries."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evalsuite.records import Scalar

_PACKAGES = ("evalsuite", "torch", "torchvision", "torchmetrics", "numpy", "scipy", "scikit-image", "pillow", "pandas")


@cache
def version_of(package: str) -> str | None:
    """Its installed version; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def describe_machine() -> dict[str, Scalar]:
    """Processor, memory, operating system and versions: the `environment` of a run record."""
    import psutil

    machine: dict[str, Scalar] = {
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
    }
    return machine | {package: version_of(package) for package in _PACKAGES}


def _processor() -> str:
    """The processor's name; Linux keeps it where `platform.processor` does not look."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
