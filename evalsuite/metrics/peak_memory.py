"""Metric ``peak_memory``: how much memory generating one batch takes at its peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class PeakMemory(Settings):
    """Peak bytes of a fresh process above its idle state (libraries loaded, model not); lower is better.

    The value is the median of the processes. On a device with memory of its own it is that memory's peak.
    """

    scenario: ClassVar[str] = "memory"

    unit: ClassVar[str] = "bytes"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Linux proc(5), VmHWM; on CUDA torch.cuda.max_memory_allocated"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        timings = timings_of(inputs, self.scenario)
        processes = np.array([max(values) for values in timings.values], dtype=np.float64)
        return {
            "": Estimate(
                float(np.median(processes)),
                Family.MEMORY,
                len(processes),
                replicates=processes,
                protocol={"scenario": self.scenario, "batch_size": timings.batch_size},
                warning="" if timings.valid else f"INVALID: {timings.reason}",
            )
        }
