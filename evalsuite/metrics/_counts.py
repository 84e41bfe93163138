"""What metrics of exact numbers share: one of the numbers of a model's footprint."""

from __future__ import annotations

from evalsuite.errors import Skipped
from evalsuite.metrics._timings import timings_of
from evalsuite.metrics.contract import Estimate, TimingInputs
from evalsuite.records import Family

SCENARIO = "footprint"


def count_of(inputs: TimingInputs, series: str, lacking: str) -> Estimate:
    """A number that was counted once for the model, whatever the target.

    Args:
        inputs: the case's timings.
        series: which number.
        lacking: why a model may have none.

    Raises:
        Skipped: nothing was counted, or not this.
    """
    timings_of(inputs, SCENARIO)
    timings = inputs.of(SCENARIO, series)
    if timings is None or not any(timings.values):
        raise Skipped(lacking)
    # The environment is left out: the same number wherever it was counted.
    return Estimate(timings.values[0][0], Family.COUNT, 1, protocol={"estimator": "exact count", "scenario": SCENARIO})
