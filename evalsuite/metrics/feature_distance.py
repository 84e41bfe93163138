"""Distance of each image to its pair in the features of an extractor: likeness of content rather than of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Failed
from evalsuite.metrics._features import Floats, finite, require
from evalsuite.metrics.contract import Estimate, FeaturePairInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class FeatureDistance(Settings):
    """Mean over pairs of the cosine distance, 1 - cos(a, b), of their features; 0 to 2, 0 for equal directions.

    Attributes:
        extractor: name of the feature extractor.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.FEATURE_PAIRS
    paper: ClassVar[str] = "Hessel et al. 2021, CLIPScore (arXiv:2104.08718), sec. 3, with images on both sides"

    extractor: str = "fashion-cnn"

    def compute(self, inputs: FeaturePairInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each pair's. Two zero vectors are at distance 0, one and another at 1.

        Raises:
            Skipped: there are no pairs.
            Failed: a feature is NaN or infinite, or the two sides differ in shape.
        """
        a, b = finite(inputs.a, "one side's"), finite(inputs.b, "the other side's")
        if a.shape != b.shape:
            raise Failed(f"features are compared pair by pair and must have one shape, found {a.shape} and {b.shape}")
        require(len(a), 1, "pairs of images")
        distances = cosine_distance(a, b)
        return {
            "": Estimate(
                value=float(distances.mean()),
                family=Family.MEAN,
                n=len(distances),
                per_sample=distances,
                protocol={"estimator": "mean over pairs", "distance": "1 - cosine"},
            )
        }


def cosine_distance(a: Floats, b: Floats) -> Floats:
    """Half the squared distance of the directions, float64 ``[N]``, of rows ``[N, D]``.

    The same as 1 - cos(a, b), without losing the digits of small distances.
    """
    difference = _direction(a) - _direction(b)
    distances: Floats = (difference**2).sum(axis=1) / 2
    one_sided = (a == 0).all(axis=1) != (b == 0).all(axis=1)
    distances[one_sided] = 1.0
    return distances


def _direction(rows: Floats) -> Floats:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Floats = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return directions
