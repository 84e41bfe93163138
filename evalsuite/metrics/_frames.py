"""What metrics of frames share: the seconds between frames that were shown one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats
from evalsuite.metrics._timings import protocol_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, TimingInputs
from evalsuite.records import Family

LEAST_SHOWN = 3
"""Frames of a round, for two intervals that can differ."""


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
