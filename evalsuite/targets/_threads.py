"""How many cores a process may use, and telling PyTorch."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Cores that this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(threads: int | None) -> None:
    """Compute on so many threads; None for one a core."""
    import torch

    torch.set_num_threads(threads or available_cores())
