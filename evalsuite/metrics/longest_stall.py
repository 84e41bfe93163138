"""Metric ``longest_stall``: how long a picture stands still at worst."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._frames import FrameMetric, interval_estimate
from evalsuite.metrics.contract import Estimate, TimingInputs


class LongestStall(FrameMetric):
    """The longest time between frames that are shown in a round, median over rounds: the maximum of all would only grow
    with the rounds."""

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    paper: ClassVar[str] = "ITU-T P.1201 (2012), for stalls of video"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value; the replicates are those of each round.

        Raises:
            Skipped: nothing was measured at this frame rate, or too few frames were shown.
        """
        estimator = "longest interval between frames, median over rounds"
        return {"": interval_estimate(inputs, self.scenarios[0], estimator, np.max)}
