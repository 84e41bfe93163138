"""What every metric of timings looks up first."""

from __future__ import annotations

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import TimingInputs
from evalsuite.records import Timings


def timings_of(inputs: TimingInputs, scenario: str) -> Timings:
    """The timings of a scenario.

    Raises:
        Skipped: it was not timed.
    """
    timings = inputs.scenario(scenario)
    if timings is None or not any(timings.values):
        raise Skipped(f"the scenario {scenario} was not timed")
    return timings
