"""Metric ``nfe``: how often an image passes the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._counts import SCENARIO, count_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings


class Nfe(Settings):
    """Evaluations of the denoiser for one image, as the model declares them; guidance counts two a step."""

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "Karras et al. 2022 (arXiv:2206.00364), for the name"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One exact value.

        Raises:
            Skipped: the model does not declare it.
        """
        return {"": count_of(inputs, "nfe", "the model does not declare its network evaluations; its setting nfe can")}
