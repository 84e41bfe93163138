"""Latency: seconds that one call takes, as percentiles, mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from evalsuite.metrics._timings import ScenarioText, estimate_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings
from evalsuite.stats.percentiles import least_values


class Latency(Settings):
    """Seconds for a call of one image (``single_stream``) or of one batch (``offline``).

    Attributes:
        scenario: what is timed.
        percentiles: which percentiles to give, beside mean and standard deviation.
    """

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Reddi et al. 2020, MLPerf Inference Benchmark (arXiv:1911.02549)"

    scenario: ScenarioText = "single_stream"
    percentiles: Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], Field(min_length=1)] = (50, 90, 95, 99)

    @property
    def scenarios(self) -> tuple[str, ...]:
        return (self.scenario,)

    @property
    def values(self) -> tuple[str, ...]:
        """Label suffixes of what ``compute`` yields."""
        return (*(f"p{p}" for p in self.percentiles), "mean", "std")

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """``p50``, ``p90``, ``p95``, ``p99``, ``mean`` and ``std`` over all calls; the replicates are the same
        statistic of each round.

        What the number of calls does not bear is a text that names the number it needs.

        Raises:
            Skipped: nothing was timed in the scenario.
        """
        timings = timings_of(inputs, self.scenario)
        n = sum(len(values) for values in timings.values)
        found: dict[str, Estimate | str] = {}
        for p in self.percentiles:
            needed = least_values(p)
            found[f"p{p}"] = (
                estimate_of(timings, f"percentile {p}", partial(np.percentile, q=p))
                if n >= needed
                else f"the {p}th percentile needs at least {needed} values, has {n}"
            )
        found["mean"] = estimate_of(timings, "mean", np.mean)
        spreads = [np.ptp(calls) for calls in rounds_of(timings)]
        # The replicates are compared on a logarithmic scale, where no spread at all has no place.
        found["std"] = (
            estimate_of(timings, "standard deviation", partial(np.std, ddof=1))
            if all(spreads)
            else "a standard deviation needs at least 2 calls in every round, of different length"
        )
        return found
