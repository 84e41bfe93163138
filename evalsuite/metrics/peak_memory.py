"""Peak memory: what a fresh process needs to load a model and generate one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import protocol_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family, Timings
from evalsuite.settings import Settings

DEVICE_SCENARIO = "device_memory"


class PeakMemory(Settings):
    """Median over fresh processes of the peak in bytes: resident memory above idle.

    On a device with memory of its own a second value, ``peak_memory_device``, is the peak of that.
    """

    unit: ClassVar[str] = "bytes"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: the operating system's count of resident pages, or the device allocator's of bytes"
    scenario: ClassVar[str] = "memory"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """The process's value, and the device's where it was measured; the replicates are those of each process.

        Raises:
            Skipped: no process was measured.
        """
        found: dict[str, Estimate | str] = {"": _estimate(timings_of(inputs, self.scenario))}
        if inputs.scenario(DEVICE_SCENARIO) is not None:
            found["device"] = _estimate(timings_of(inputs, DEVICE_SCENARIO))
        return found


def _estimate(timings: Timings) -> Estimate:
    peaks = np.array([values.max() for values in rounds_of(timings)])
    return Estimate(
        value=float(np.median(peaks)),
        family=Family.MEMORY,
        n=len(peaks),
        replicates=peaks,
        protocol=protocol_of(timings, "median over processes"),
        invalid=timings.reason,
    )
