"""Metric ``precision``: the share of generated images that lie where reference images lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Skipped
from evalsuite.metrics._frechet import checked_features
from evalsuite.metrics._neighbours import K, covered, squared_radii
from evalsuite.metrics.contract import Estimate, FeatureInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class Precision(Settings):
    """Share of generated samples within the 5-nearest-neighbour ball of any reference sample; [0, 1], higher is better.

    The point itself is excluded from its neighbours, the surface belongs to the ball. Given the reference it is a mean
    over samples.

    Attributes:
        extractor: whose features.
    """

    extractor: str = "fashion-cnn"

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.FEATURES
    paper: ClassVar[str] = "Kynkäänniemi et al. 2019, Improved Precision and Recall Metric, arXiv 1904.06991"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        generated, reference = checked_features(inputs)
        if len(reference) <= K:
            raise Skipped(f"{len(reference)} reference samples; it needs more than {K}")
        inside = covered(generated, reference, squared_radii(reference)).astype(np.float64)
        protocol = {"k": K, "reference_n": len(reference)}
        return {"": Estimate(float(inside.mean()), Family.MEAN, len(inside), per_sample=inside, protocol=protocol)}
