"""Metric ``cost``: dollars for a thousand images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from evalsuite.errors import Skipped
from evalsuite.metrics._timings import ScenarioText, estimate_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings

IMAGES = 1000


class Cost(Settings):
    """The target's ``price_per_hour`` times the hours that 1,000 images take at its throughput, without pauses.

    Attributes:
        scenario: whose throughput: ``offline``, or ``offline:batch_size=4``.
    """

    unit: ClassVar[str] = "USD"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: price / throughput"

    scenario: ScenarioText = "offline"

    @property
    def scenarios(self) -> tuple[str, ...]:
        return (self.scenario,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value; the replicates are those of each round, as of the throughput.

        Raises:
            Skipped: nothing was timed, or the target has no price.
        """
        price = inputs.price_per_hour
        if not price:
            raise Skipped("the target has no price; give it price_per_hour, in USD")
        timings = timings_of(inputs, self.scenario)
        each = price / 3600 * IMAGES / timings.batch_size
        estimate = estimate_of(timings, "price / throughput", lambda seconds: each * seconds.mean())
        return {"": replace(estimate, protocol={**estimate.protocol, "environment.price_per_hour": price})}
