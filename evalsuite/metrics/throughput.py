"""Throughput: images a second in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._timings import ScenarioText, estimate_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings


class Throughput(Settings):
    """Images divided by the time of all calls, in images/s.

    Attributes:
        scenario: ``offline`` for calls of the target's ``batch_size``; ``offline:batch_size=4`` for others.
    """

    unit: ClassVar[str] = "images/s"
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Reddi et al. 2020, MLPerf Inference Benchmark (arXiv:1911.02549), offline scenario"

    scenario: ScenarioText = "offline"

    @property
    def scenarios(self) -> tuple[str, ...]:
        return (self.scenario,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value; the replicates are that of each round.

        Raises:
            Skipped: nothing was timed in the scenario.
        """
        timings = timings_of(inputs, self.scenario)
        return {
            "": estimate_of(timings, "images / time of all calls", lambda seconds: timings.batch_size / seconds.mean())
        }
