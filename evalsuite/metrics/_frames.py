"""What metrics of frames share: their scenario, and the seconds between frames that were shown one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats
from evalsuite.metrics._timings import named, protocol_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

LEAST_SHOWN = 3
"""Frames of a round, for two intervals that can differ."""


class FrameMetric(Settings):
    """Base of metrics that read the scenario ``realtime``.

    Attributes:
        fps: frames a second.
    """

    inputs: ClassVar[Inputs] = Inputs.TIMINGS

    fps: float = Field(gt=0, allow_inf_nan=False)

    @property
    def scenarios(self) -> tuple[str, ...]:
        return (named("realtime", fps=self.fps),)


def interval_estimate(
    inputs: TimingInputs, scenario: str, estimator: str, statistic: Callable[[Floats], Any]
) -> Estimate:
    """A statistic of the intervals of each round, median over rounds.

    Raises:
        Skipped: nothing was measured, or too few frames were shown.
    """
    timings = timings_of(inputs, scenario, "shown")
    rounds = rounds_of(timings)
    fewest = min(map(len, rounds))
    if fewest < LEAST_SHOWN:
        raise Skipped(f"{fewest} frames were shown in a round, and it needs {LEAST_SHOWN}; try a lower fps")
    replicates = np.array([float(statistic(np.diff(shown))) for shown in rounds])
    return Estimate(
        value=float(np.median(replicates)),
        family=Family.LATENCY,
        n=sum(len(shown) - 1 for shown in rounds),
        replicates=replicates,
        protocol=protocol_of(timings, estimator),
        invalid=timings.reason,
    )
