"""Metric ``model_size``: how large a model is on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._counts import SCENARIO, count_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.settings import Settings


class ModelSize(Settings):
    """Bytes of all files that the model is loaded from: networks, tokenizers, configuration."""

    unit: ClassVar[str] = "bytes"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: the file system's count"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One exact value.

        Raises:
            Skipped: the adapter does not know its files.
        """
        return {"": count_of(inputs, "bytes", "the model's adapter does not know its files")}
