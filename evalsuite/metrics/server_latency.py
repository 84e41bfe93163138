"""Metric ``server_latency``: seconds from the arrival of a random request to its image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from evalsuite.metrics._timings import estimate_of, named, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings
from evalsuite.stats.percentiles import least_values


class ServerLatency(Settings):
    """Percentiles of the response times in the scenario ``server``; a gate with ``test: limit`` bounds one of them.

    Attributes:
        rate: requests a second on average.
        percentiles: which to give.
    """

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Reddi et al. 2020, MLPerf Inference Benchmark (arXiv:1911.02549), server scenario"

    rate: float = Field(gt=0, allow_inf_nan=False)
    percentiles: Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], Field(min_length=1)] = (50, 90, 95, 99)

    @property
    def scenarios(self) -> tuple[str, ...]:
        return (named("server", rate=self.rate),)

    @property
    def values(self) -> tuple[str, ...]:
        """Label suffixes of what ``compute`` yields."""
        return tuple(f"p{p}" for p in self.percentiles)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """``p50``, ``p90``, ``p95`` and ``p99`` over all requests; the replicates are the same statistic of each round.

        A percentile that the number of requests does not bear is a text that names the number it needs.

        Raises:
            Skipped: nothing was measured at this rate.
        """
        timings = timings_of(inputs, *self.scenarios)
        n = sum(len(values) for values in timings.values)
        return {
            f"p{p}": estimate_of(timings, f"percentile {p} of response times", partial(np.percentile, q=p))
            if n >= least_values(p)
            else f"the {p}th percentile needs at least {least_values(p)} values, has {n}"
            for p in self.percentiles
        }
