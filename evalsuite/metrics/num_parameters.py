"""Metric ``num_parameters``: how many parameters a model has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._counts import SCENARIO, count_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings


class NumParameters(Settings):
    """Parameters of all networks that the model loads: denoiser, text encoders, decoder; each counted once."""

    unit: ClassVar[str] = "parameters"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: a count"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One exact value.

        Raises:
            Skipped: the model does not show its networks.
        """
        lacking = "the model does not show its networks: it runs elsewhere, or its code has no num_parameters()"
        return {"": count_of(inputs, "parameters", lacking)}
