"""Metric ``flops``: operations that one image takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._counts import SCENARIO, count_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings


class Flops(Settings):
    """Floating-point operations for one image: all evaluations of all its networks, those of guidance too.

    Those of matrix products, convolutions and attention are counted; a multiplication and an addition are two.
    """

    unit: ClassVar[str] = "FLOPs"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: PyTorch's FlopCounterMode"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One exact value.

        Raises:
            Skipped: PyTorch counted none of its operations.
        """
        lacking = "PyTorch counted none of its operations: it runs elsewhere, or does not show its networks"
        return {"": count_of(inputs, "flops", lacking)}
