"""Latency: seconds that one call takes, as percentiles and mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from evalsuite.metrics._features import Floats
from evalsuite.metrics._timings import protocol_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family, Timings
from evalsuite.settings import Settings

CONFIDENCE = 0.99


class Latency(Settings):
    """Seconds for a call of one image (``single_stream``) or of one batch (``offline``).

    Attributes:
        scenario: what is timed.
        percentiles: which percentiles to give, beside the mean.
    """

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Reddi et al. 2020, MLPerf Inference Benchmark (arXiv:1911.02549)"

    scenario: Literal["single_stream", "offline"] = "single_stream"
    percentiles: Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], Field(min_length=1)] = (50, 90, 99)

    @property
    def values(self) -> tuple[str, ...]:
        """Label suffixes of what ``compute`` yields."""
        return (*(f"p{p}" for p in self.percentiles), "mean")

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """``p50``, ``p90``, ``p99`` and ``mean`` over all calls; the replicates are the same statistic of each round.

        A percentile that the number of calls does not bear is a text that names the number it needs.

        Raises:
            Skipped: nothing was timed in the scenario.
        """
        timings = timings_of(inputs, self.scenario)
        n = sum(len(values) for values in timings.values)
        found: dict[str, Estimate | str] = {}
        for p in self.percentiles:
            needed = least_values(p)
            found[f"p{p}"] = (
                _estimate(timings, f"percentile {p}", partial(np.percentile, q=p))
                if n >= needed
                else f"the {p}th percentile needs at least {needed} values, has {n}"
            )
        found["mean"] = _estimate(timings, "mean", np.mean)
        return found


def least_values(percentile: int) -> int:
    """The fewest values of which the largest lies above the percentile with 99 % confidence: 44 for p90, 459 for p99.

    All n independent values lie below it with probability p^n, which must be at most 1 %.
    """
    share = max(percentile, 100 - percentile) / 100
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(share))


def _estimate(timings: Timings, estimator: str, statistic: Callable[[Floats], Any]) -> Estimate:
    rounds = rounds_of(timings)
    values = np.concatenate(rounds)
    return Estimate(
        value=float(statistic(values)),
        family=Family.LATENCY,
        n=len(values),
        replicates=np.array([statistic(one) for one in rounds]),
        protocol=protocol_of(timings, estimator),
        invalid=timings.reason,
    )
