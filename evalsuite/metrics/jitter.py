"""Metric ``jitter``: how unevenly frames follow one another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import numpy as np

from evalsuite.metrics._frames import FrameMetric, interval_estimate
from evalsuite.metrics.contract import Estimate, TimingInputs


class Jitter(FrameMetric):
    """Standard deviation of the seconds between frames that are shown, median over rounds."""

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    paper: ClassVar[str] = "Demichelis and Chimento 2002 (RFC 3393), after its variation of delays"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value; the replicates are those of each round.

        Raises:
            Skipped: nothing was measured at this frame rate, or too few frames were shown.
        """
        statistic = partial(np.std, ddof=1)
        estimator = "standard deviation of intervals between frames, median over rounds"
        return {"": interval_estimate(inputs, self.scenarios[0], estimator, statistic)}
