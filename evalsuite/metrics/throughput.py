"""Metric ``throughput``: images per second at the target's batch size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class Throughput(Settings):
    """Images per second of the ``offline`` scenario: full batches, one after the other; higher is better."""

    scenario: ClassVar[str] = "offline"

    unit: ClassVar[str] = "images/s"
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Reddi et al. 2020, MLPerf Inference Benchmark, arXiv 1911.02549"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        timings = timings_of(inputs, self.scenario)
        rounds = np.array([len(values) * timings.batch_size / sum(values) for values in timings.values])
        calls = sum(map(len, timings.values))
        seconds = sum(map(sum, timings.values))
        return {
            "": Estimate(
                calls * timings.batch_size / seconds,
                Family.LATENCY,
                calls,
                replicates=rounds,
                protocol={"scenario": self.scenario, "batch_size": timings.batch_size, "rounds": len(rounds)},
                warning="" if timings.valid else f"INVALID: {timings.reason}",
            )
        }
