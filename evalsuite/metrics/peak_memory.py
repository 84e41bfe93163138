"""Peak memory: what a fresh process needs to load a model and generate one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import estimate_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

SCENARIO = "memory"


class PeakMemory(Settings):
    """Median over fresh processes of the peak in bytes: resident memory above idle.

    ``peak_memory_load`` is the peak while the model is loaded, ``peak_memory_denoise`` that of a stage. On a device
    with memory of its own ``peak_memory_device`` is the peak of what is allocated there,
    ``peak_memory_device_reserved`` of what its allocator has taken, ``peak_memory_device_denoise`` again of a stage.
    """

    unit: ClassVar[str] = "bytes"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: the operating system's count of resident pages, or the device allocator's of bytes"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """The process's value, that of each of its stages, and the device's where it has memory of its own.

        The replicates are those of each process.

        Raises:
            Skipped: no process was measured.
        """
        timings_of(inputs, SCENARIO)
        return {
            one.series: estimate_of(one, "median over processes", np.median, Family.MEMORY)
            for one in inputs.timings
            if one.scenario == SCENARIO
        }
