"""How quiet the machine is around this process: its clock speed, and who else wants its processor."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from evalsuite.targets.contract import Target

_TASKS = Path("/proc/self/task")
_REPETITIONS = 5
_BYTES = 1 << 20
_MATRIX = 2048
"""Both take under a millisecond on hardware of this decade: nothing beside a turn."""


class ReferenceComputation:
    """A fixed computation on the device; that it takes longer now than before says that the device runs slower.

    On the processor a hash in one thread, which needs no memory bandwidth; on another device a product of matrices.
    """

    def __init__(self, target: Target) -> None:
        self._compute = _hash_once() if target.torch_device == "cpu" else _multiply_once(target)
        self.seconds()

    def seconds(self) -> float:
        """The fastest of some repetitions, so that an interruption does not look like a slower clock."""
        return min(self._once() for _ in range(_REPETITIONS))

    def _once(self) -> float:
        begin = time.perf_counter()
        self._compute()
        return time.perf_counter() - begin


class ProcessorTime(NamedTuple):
    """Seconds of all threads of this process since they began, from Linux's scheduler (proc(5), ``schedstat``).

    Attributes:
        ran: on a processor.
        waited: ready to run, while somebody else had the processor.
    """

    ran: float
    waited: float

    @classmethod
    def now(cls) -> ProcessorTime | None:
        """None where the system does not tell."""
        ran = waited = 0
        try:
            for task in _TASKS.iterdir():
                times = (task / "schedstat").read_text().split()
                ran, waited = ran + int(times[0]), waited + int(times[1])
        except (OSError, ValueError, IndexError):
            return None
        return cls(ran / 1e9, waited / 1e9)

    def share_waited(self, since: ProcessorTime) -> float:
        """Of the time since then that its threads wanted to run, the share that they had to wait, in [0, 1]."""
        waited, ran = self.waited - since.waited, self.ran - since.ran
        return min(1.0, max(0.0, waited / (waited + ran))) if waited + ran > 0 else 0.0


def _hash_once() -> Callable[[], Any]:
    content = bytes(_BYTES)
    return lambda: hashlib.sha256(content).digest()


def _multiply_once(target: Target) -> Callable[[], Any]:
    import torch

    matrix = torch.ones((_MATRIX, _MATRIX), device=target.torch_device)

    def multiply() -> None:
        matrix @ matrix
        target.synchronize()

    return multiply
