"""Metric ``psnr``: peak signal-to-noise ratio of image pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._pairs import checked_pairs
from evalsuite.metrics.contract import Estimate, Inputs, PairInputs
from evalsuite.records import Family
from evalsuite.settings import Settings

CAP_DB = 60.0
"""Value of equal images, whose ratio is infinite, and ceiling of all others: below half a grey level of error."""


class Psnr(Settings):
    """Mean over images of ``10 log10(255^2 / MSE)`` in dB, of uint8 pixels; higher is better, capped at 60.

    Each image has its own ratio, rather than one of the pooled error of a batch. Against the teacher it measures
    fidelity, not quality: a student may differ and be good.
    """

    unit: ClassVar[str] = "dB"
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.PAIRS
    paper: ClassVar[str] = "Huynh-Thu and Ghanbari 2008, Scope of validity of PSNR in image/video quality assessment"

    def compute(self, inputs: PairInputs) -> Mapping[str, Estimate | str]:
        a, b = checked_pairs(inputs)
        error = np.array([((x.astype(np.float64) - y) ** 2).mean() for x, y in zip(a, b, strict=True)])
        with np.errstate(divide="ignore"):
            ratios = 10 * np.log10(255.0**2 / error)
        capped = int((ratios > CAP_DB).sum())
        values = np.minimum(ratios, CAP_DB)
        warning = f"{capped} of {len(values)} pairs are (almost) equal and count as {CAP_DB:g} dB" if capped else ""
        protocol = {"data_range": 255, "cap_db": CAP_DB}
        estimate = Estimate(
            float(values.mean()), Family.MEAN, len(values), per_sample=values, protocol=protocol, warning=warning
        )
        return {"": estimate}
