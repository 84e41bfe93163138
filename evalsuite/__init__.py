"""Benchmark and evaluate diffusion models: teachers, their distilled students, and whether a difference is real."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalsuite.direct.measure import difference as difference
    from evalsuite.direct.measure import measure as measure
    from evalsuite.records import RunRecord as RunRecord
    from evalsuite.session import run as run
    from evalsuite.suite.load import load_suite as load_suite

__version__ = "0.1.0"
__all__ = ["RunRecord", "__version__", "difference", "load_suite", "measure", "run"]

_HOMES = {
    "RunRecord": "evalsuite.records",
    "difference": "evalsuite.direct.measure",
    "load_suite": "evalsuite.suite.load",
    "measure": "evalsuite.direct.measure",
    "run": "evalsuite.session",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that ``import evalsuite`` stays quick."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'evalsuite' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
