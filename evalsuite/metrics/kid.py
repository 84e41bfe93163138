"""Metric ``kid``: the squared maximum mean discrepancy with a cubic kernel, all samples at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.metrics._frechet import checked_features
from evalsuite.metrics.contract import Estimate, FeatureInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings

Floats = NDArray[np.float64]
BLOCK = 2048


class Kid(Settings):
    """The unbiased U-statistic over all samples, not a mean over random subsets; about 0 for equal distributions.

    Lower is better. ``per_sample`` is the first-order projection ``h(x) = 2 (mean k(x, X') - mean k(x, R))``, whose
    standard deviation over sqrt(n) is the standard error given the reference.

    Attributes:
        extractor: whose features.
    """

    extractor: str = "fashion-cnn"

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.FEATURES
    paper: ClassVar[str] = "Binkowski et al. 2018, Demystifying MMD GANs, arXiv 1801.01401"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        generated, reference = checked_features(inputs)
        n = len(generated)
        within = (kernel_sums(generated, generated) - cubic_diagonal(generated)) / (n - 1)
        between = kernel_sums(generated, reference) / len(reference)
        value = within.mean() + reference_mean(reference) - 2 * between.mean()
        return {
            "": Estimate(
                float(value),
                Family.MMD,
                n,
                per_sample=2 * (within - between),
                protocol={"kernel": "(x.y / d + 1)^3", "estimator": "unbiased, all samples"},
            )
        }


def kernel_sums(a: Floats, b: Floats) -> Floats:
    """``sum_j (a_i . b_j / d + 1)^3`` for each i, float64 ``[len(a)]``, in blocks so that memory stays small."""
    scaled = b.T / a.shape[1]
    parts = [((a[i : i + BLOCK] @ scaled + 1) ** 3).sum(axis=1) for i in range(0, len(a), BLOCK)]
    return np.concatenate(parts)


def cubic_diagonal(a: Floats) -> Floats:
    """``k(a_i, a_i)``, float64 ``[len(a)]``."""
    return ((a * a).sum(axis=1) / a.shape[1] + 1) ** 3


def reference_mean(reference: Floats) -> float:
    """Mean kernel over pairs of different reference samples."""
    m = len(reference)
    return float((kernel_sums(reference, reference) - cubic_diagonal(reference)).sum() / (m * (m - 1)))
