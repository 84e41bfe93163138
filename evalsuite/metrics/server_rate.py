"""Metric ``server_rate``: the most random requests a second that a model answers within a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field

from evalsuite.metrics._timings import estimate_of, named, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings, parse_quantity


class ServerRate(Settings):
    """Median over rounds of the rate that the scenario ``server_search`` finds.

    Attributes:
        bound: on the percentile of the response times, in seconds or as ``100 ms``.
        percentile: which one has to keep it.
    """

    unit: ClassVar[str] = "requests/s"
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = (
        "Reddi et al. 2020, MLPerf Inference Benchmark (arXiv:1911.02549), server scenario; Lindley 1952"
    )

    bound: Annotated[float, BeforeValidator(parse_quantity), Field(gt=0, allow_inf_nan=False)]
    percentile: int = Field(default=99, ge=1, le=99)

    @property
    def scenarios(self) -> tuple[str, ...]:
        return (named("server_search", bound=self.bound, percentile=self.percentile),)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value; the replicates are those of each round.

        Raises:
            Skipped: nothing was measured with this bound.
        """
        timings = timings_of(inputs, *self.scenarios)
        return {"": estimate_of(timings, "highest rate, median over rounds", np.median)}
