"""CMMD: the squared maximum mean discrepancy of unit-length embeddings under a Gaussian kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Failed
from evalsuite.metrics._features import FeatureMetric, Floats, features_of
from evalsuite.metrics._kernels import mmd
from evalsuite.metrics.contract import Estimate, FeatureInputs

SIGMA = 10.0
SCALE = 1000.0


class Cmmd(FeatureMetric):
    """1000 times the squared MMD of features scaled to length 1, kernel exp(-|x - y|^2 / (2 sigma^2)) with sigma 10.

    The published numbers are of CLIP ViT-L/14 at 336 px; with another ``extractor`` it is the same distance of other
    features. Unbiased, where the authors' code keeps the pairs of samples with themselves and comes out higher by about
    1000 (1 - mean k) (1/n + 1/m). 0 for equal distributions, and then of any sign; a set against itself comes out
    slightly below 0.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    paper: ClassVar[str] = "Jayasumana et al. 2024, Rethinking FID (arXiv:2401.09603)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the projection of each sample.

        Raises:
            Skipped: fewer than two samples, or only the moments of the reference.
            Failed: a feature is NaN or infinite, or all features of a sample are 0.
        """
        generated, reference = (_unit_length(side) for side in features_of(inputs))
        protocol = {"kernel": "1000 exp(-|x - y|^2 / (2 * 10^2)), |x| = |y| = 1"}
        return {"": mmd(generated, reference, gaussian, protocol)}


def gaussian(products: Floats) -> Floats:
    """1000 (k - 1) of inner products of unit vectors, in place: constants cancel in an MMD, and k alone, so near to 1,
    would lose digits."""
    products -= 1  # -|x - y|^2 / 2
    products /= SIGMA**2
    np.expm1(products, out=products)
    products *= SCALE
    return products


def _unit_length(features: Floats) -> Floats:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    if zero := int((lengths == 0).sum()):
        raise Failed(f"all features of {zero} of {len(features)} images are 0, so they have no direction to compare")
    scaled: Floats = features / lengths
    return scaled
