"""Models for scenarios to put requests to, in this process: what they take for a call is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite.models.contract import Batch
from evalsuite.targets.cpu import Cpu


@dataclass
class Sleeper:
    """Sleeps for each call as long as ``seconds`` says, again and again.

    Attributes:
        seconds: of the calls, in turn.
        calls: sample ids of every call so far.
    """

    seconds: tuple[float, ...] = (0.0,)
    target: Any = field(default_factory=Cpu)
    calls: list[NDArray[np.int64]] = field(default_factory=list)

    def generate(self, batch: Batch, probe: Any = None) -> NDArray[np.uint8]:
        wanted = self.seconds[len(self.calls) % len(self.seconds)]
        self.calls.append(batch.sample_ids)
        time.sleep(wanted)
        return np.zeros((len(batch.sample_ids), 1, 2, 2), np.uint8)


def batches(count: int, size: int = 1) -> list[Batch]:
    return list(_batches(count, size))


def _batches(count: int, size: int) -> Iterator[Batch]:
    for first in range(0, count * size, size):
        ids = np.arange(first, first + size, dtype=np.int64)
        yield Batch(ids, ids)
