"""Metric ``latency``: how long one call takes, as percentiles and mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.metrics._timings import timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family, Timings
from evalsuite.settings import Settings

Statistic = Callable[[NDArray[np.float64]], float]

VALUES_NEEDED = {90: 44, 95: 90, 99: 459}
"""Values below which no upper bound of a percentile holds with 99 % confidence: ``q^n <= 0.01``."""


class Latency(Settings):
    """Seconds per call; lower is better. Yields p50, p90, p95, p99 and mean, as far as there are values enough.

    Models are timed in turns, round by round; ``replicates`` hold the same statistic of each round, so that two models
    are compared by the ratio within a round and a drift of the machine hits both.

    Attributes:
        scenario: ``single_stream``: one image a call.
    """

    scenario: Literal["single_stream", "offline"] = "single_stream"

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Reddi et al. 2020, MLPerf Inference Benchmark, arXiv 1911.02549"

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        timings = timings_of(inputs, self.scenario)
        found: dict[str, Estimate | str] = {
            "mean": estimate(timings, np.mean),
            "p50": estimate(timings, np.median),
        }
        count = sum(map(len, timings.values))
        for percentile, needed in VALUES_NEEDED.items():
            if count >= needed:
                found[f"p{percentile}"] = estimate(timings, partial(np.percentile, q=percentile))
            else:
                found[f"p{percentile}"] = f"{count} values; a bound of p{percentile} needs at least {needed}"
        return found


def estimate(timings: Timings, statistic: Statistic) -> Estimate:
    """The statistic of all values, and of each round."""
    rounds = [np.asarray(values, np.float64) for values in timings.values]
    everything = np.concatenate(rounds)
    return Estimate(
        float(statistic(everything)),
        Family.LATENCY,
        len(everything),
        replicates=np.array([float(statistic(values)) for values in rounds]),
        protocol={"scenario": timings.scenario, "batch_size": timings.batch_size, "rounds": len(rounds)},
        warning="" if timings.valid else f"INVALID: {timings.reason}",
    )
