"""Metric ``energy``: joules for an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import estimate_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings

SCENARIO = "energy"


class Energy(Settings):
    """Mean over rounds of the joules that the device took for an image, in batches of the target's size.

    Of a GPU by NVML, of a processor and its memory by RAPL, idle power and other programs included.
    """

    unit: ClassVar[str] = "J"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: the device's own counters (RAPL, NVML)"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value; the replicates are those of each round.

        Raises:
            Skipped: nothing was measured.
        """
        estimate = estimate_of(timings_of(inputs, SCENARIO), "energy of the device / images, mean over rounds", np.mean)
        parts = sorted(t.series for t in inputs.timings if t.scenario == SCENARIO and t.series and t.unit == self.unit)
        counted = {"environment.energy_of": "+".join(parts)}
        return {"": replace(estimate, protocol={**estimate.protocol, **counted})}
