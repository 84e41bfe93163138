"""Cold start: how long a fresh process takes to its first image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import estimate_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings

SCENARIO = "cold_start"


class ColdStart(Settings):
    """Median over fresh processes, in seconds: ``cold_start``, and its parts ``load`` and ``first_call``.

    What a model compiles at its first call belongs to the first call.
    """

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: a monotonic clock"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)
    values: ClassVar[tuple[str, ...]] = ("", "load", "first_call")

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """The sum and its parts; the replicates are those of each process. Fewer processes than a ratio needs rounds,
        as under the profile ``ci``, have no interval.

        Raises:
            Skipped: no process was measured.
        """
        return {
            series: estimate_of(timings_of(inputs, SCENARIO, series), "median over processes", np.median)
            for series in self.values
        }
