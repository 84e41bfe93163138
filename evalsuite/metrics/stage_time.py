"""Metric ``stage_time``: where the time of a call goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from evalsuite.metrics._timings import estimate_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.scenarios.contract import CLOCK, WAITING
from evalsuite.settings import Settings

SCENARIO = "stages"
WHOLE, PLAIN = "", "plain"
NO_STAGES = (WHOLE, PLAIN, CLOCK, WAITING)
MOST_SLOWED = 0.02
"""Probing that slows the whole by more is told."""


class StageTime(Settings):
    """Mean seconds of a call of one image in each stage: ``text_encoder``, ``denoise`` and one ``denoise_step``,
    ``decode`` and others that a model marks; ``rest`` is what lies outside them.

    Stages and rest add up to the call. Every call counts the work of its device to the stage that began it.
    """

    unit: ClassVar[str] = "s"
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "none: a monotonic clock, the device synchronised at the borders of stages"
    scenarios: ClassVar[tuple[str, ...]] = (SCENARIO,)
    values: ClassVar[tuple[str, ...]] = ("denoise", "rest")
    optional_values: ClassVar[tuple[str, ...]] = ("text_encoder", "denoise_step", "decode")

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """A value for each stage that the model marks; the replicates are the mean of each round.

        Raises:
            Skipped: nothing was timed.
        """
        slowed = _slowed(inputs)
        warning = f"probing slowed the calls by {slowed:.0%}" if slowed > MOST_SLOWED else ""
        found: dict[str, Estimate | str] = {}
        for one in inputs.timings:
            if one.scenario == SCENARIO and one.series not in NO_STAGES:
                always = all(np.all(values > 0) for values in rounds_of(one))
                estimate = replace(estimate_of(one, "mean", np.mean), warning=warning) if always else None
                found[one.series] = estimate or f"the model is not in the stage {one.series} in every call"
        return found


def _slowed(inputs: TimingInputs) -> float:
    """By how much probed calls take longer than plain ones: the median of the rounds."""
    probed, plain = (rounds_of(timings_of(inputs, SCENARIO, series)) for series in (WHOLE, PLAIN))
    return float(np.median([np.median(a) / np.median(b) for a, b in zip(probed, plain, strict=True)])) - 1
