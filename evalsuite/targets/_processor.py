"""The processor: its name, the cores that this process may use, and PyTorch's threads on it."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

from evalsuite.records import Scalar

_THREADS = Path("/proc/self/task")


def available_cores() -> int:
    """Cores that this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> dict[str, Scalar]:
    """``processor``: the model's name, ``cores``: those available."""
    return {"processor": _model_name(), "cores": available_cores()}


def can_bind() -> bool:
    """Whether this platform can keep a process on some of its cores."""
    return hasattr(os, "sched_setaffinity")


def bind(cores: int) -> None:
    """Keep this process, its threads and all that it starts on its last so many cores: the first serves the devices."""
    chosen = sorted(os.sched_getaffinity(0))[-cores:]
    os.sched_setaffinity(0, chosen)
    for thread in _THREADS.iterdir():  # numpy has started threads of its own, which do not follow
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), chosen)


def waiting() -> dict[str, Scalar]:
    """How threads wait for one another, where the environment says it: spinning or asleep; small calls show it."""
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
    return {name.lower(): os.environ[name] for name in names if name in os.environ}


def set_threads(threads: int | None) -> None:
    """Compute on so many threads, and compile in as many processes; None for one a core.

    Through the environment, which PyTorch reads when it is imported: a model that needs no torch does not wait for it.
    """
    count = threads or available_cores()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TORCHINDUCTOR_COMPILE_THREADS"):
        os.environ[name] = str(count)
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
