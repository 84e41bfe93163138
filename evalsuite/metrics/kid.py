"""Kernel distance: the squared maximum mean discrepancy of features under a cubic kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._features import FeatureMetric, Floats, features_of
from evalsuite.metrics._kernels import mmd
from evalsuite.metrics.contract import Estimate, FeatureInputs


class Kid(FeatureMetric):
    """Unbiased estimate of the squared MMD with the kernel (x.y/d + 1)^3, over all pairs instead of random subsets.

    0 for equal distributions, and then of any sign. A set against *itself* comes out below 0, by about the spread of
    its kernel divided by n, because only the sum within the set leaves out each sample's pair with itself.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    paper: ClassVar[str] = "Binkowski et al. 2018, Demystifying MMD GANs (arXiv:1801.01401)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the projection of each sample.

        Raises:
            Skipped: fewer than two samples, or only the moments of the reference.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = (side / side.shape[1] ** 0.5 for side in features_of(inputs))
        return {"": mmd(generated, reference, cubic, {"kernel": "(x.y/d + 1)^3"})}


def cubic(products: Floats) -> Floats:
    """(p + 1)^3, in place."""
    products += 1
    products *= products * products
    return products
