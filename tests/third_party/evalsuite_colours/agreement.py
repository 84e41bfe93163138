"""Metric ``colour_agreement``: is a picture of the colour that its prompt names? A preference model has this shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import Estimate, ImageInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings
from evalsuite_colours.palette import COLOURS, colour_in


class ColourAgreement(Settings):
    """Mean over samples of 1 minus the distance of the picture's mean colour to the named one; 0 to 1.

    Samples whose prompt names no colour score 0.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.IMAGES
    paper: ClassVar[str] = "an example"

    def compute(self, inputs: ImageInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each picture's.

        Raises:
            Skipped: there are no prompts.
        """
        if inputs.prompts is None:
            raise Skipped("needs the prompt of each sample, and there are none")
        scores = np.array([_score(*pair) for pair in zip(inputs.images, inputs.prompts, strict=True)])
        protocol = {"estimator": "mean over samples", "colours": len(COLOURS)}
        return {"": Estimate(float(scores.mean()), Family.MEAN, len(scores), per_sample=scores, protocol=protocol)}


def _score(image: np.ndarray, prompt: str) -> float:
    wanted = colour_in(prompt)
    if wanted is None:
        return 0.0
    distance = np.abs(image.mean(axis=(1, 2)) - np.array(wanted)).mean() / 255
    return float(1 - distance)
