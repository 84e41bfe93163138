"""Metric ``deadline_misses``: the share of frames that were not there in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._frames import FrameMetric
from evalsuite.metrics._timings import protocol_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, TimingInputs
from evalsuite.records import Family


class DeadlineMisses(FrameMetric):
    """Frames that were shown later than 1/fps after their release, or never, as a share of all: mean over rounds."""

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    as_ratio: ClassVar[bool] = False
    paper: ClassVar[str] = "Liu and Layland 1973 (doi:10.1145/321738.321743), for deadlines at the next release"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value in [0, 1]; frames of a round hang together, so rounds are what is averaged.

        Raises:
            Skipped: nothing was measured at this frame rate.
        """
        timings = timings_of(inputs, *self.scenarios)
        shares = np.array([np.mean(delays > 1 / self.fps) for delays in rounds_of(timings)])
        return {
            "": Estimate(
                value=float(shares.mean()),
                family=Family.MEAN,
                n=len(shares),
                per_sample=shares,
                protocol=protocol_of(timings, "share of frames, mean over rounds"),
                invalid=timings.reason,
            )
        }
