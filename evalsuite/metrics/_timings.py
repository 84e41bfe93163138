"""What metrics of timings share: the scenario's raw values, and where they come from."""

from __future__ import annotations

import numpy as np

from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats
from evalsuite.metrics.contract import TimingInputs
from evalsuite.records import Scalar, Timings


def timings_of(inputs: TimingInputs, scenario: str) -> Timings:
    """The timings of a scenario.

    Raises:
        Skipped: nothing was timed in it.
    """
    timings = inputs.scenario(scenario)
    if timings is None or not any(timings.values):
        raise Skipped(f"nothing was measured in the scenario {scenario}")
    return timings


def rounds_of(timings: Timings) -> list[Floats]:
    """Raw values of each round that has any, float64 ``[calls]``."""
    return [np.array(values, np.float64) for values in timings.values if values]


def protocol_of(timings: Timings, estimator: str) -> dict[str, Scalar]:
    """What made the number: two values compare only if measured under the same conditions."""
    environment = {f"environment.{key}": value for key, value in timings.environment.items()}
    return {
        "estimator": estimator,
        "scenario": timings.scenario,
        "batch_size": timings.batch_size,
        "warmups": timings.warmups,
        **environment,
    }
