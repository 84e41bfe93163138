"""The processor: its name, the cores that this process may use, and PyTorch's threads on it."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from evalsuite.records import Scalar


def available_cores() -> int:
    """Cores that this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> dict[str, Scalar]:
    """``processor``: the model's name, ``cores``: those available."""
    return {"processor": _model_name(), "cores": available_cores()}


def set_threads(threads: int | None) -> None:
    """Compute on so many threads; None for one a core.

    Through the environment, which PyTorch reads when it is imported: a model that needs no torch does not wait for it.
    """
    count = threads or available_cores()
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(count)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(count)


def _model_name() -> str:
    """From ``/proc/cpuinfo``, because ``platform`` knows only the architecture on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
