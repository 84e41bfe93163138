"""Throughput: images a second in batches of the target's size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import protocol_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class Throughput(Settings):
    """Images divided by the time of all calls, in images/s, with calls of the target's ``batch_size``."""

    unit: ClassVar[str] = "images/s"
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Reddi et al. 2020, MLPerf Inference Benchmark (arXiv:1911.02549), offline scenario"
    scenario: ClassVar[str] = "offline"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value; the replicates are that of each round.

        Raises:
            Skipped: nothing was timed in the offline scenario.
        """
        timings = timings_of(inputs, self.scenario)
        rounds = rounds_of(timings)
        seconds = np.concatenate(rounds)
        return {
            "": Estimate(
                value=float(timings.batch_size / seconds.mean()),
                family=Family.LATENCY,
                n=len(seconds),
                replicates=np.array([timings.batch_size / values.mean() for values in rounds]),
                protocol=protocol_of(timings, "images / time of all calls"),
                invalid=timings.reason,
            )
        }
