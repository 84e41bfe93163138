"""Kernel distance: the squared maximum mean discrepancy of features under a cubic kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np

from evalsuite.metrics._features import FeatureMetric, Floats, features_of, require
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family

BLOCK = 1024
"""Rows of the kernel matrix that are in memory at once."""


class Kid(FeatureMetric):
    """Unbiased estimate of the squared MMD with the kernel (x.y/d + 1)^3, over all pairs instead of random subsets.

    0 for equal distributions, and then of any sign. A set against *itself* comes out below 0, by about the spread of
    its kernel divided by n, because only the sum within the set leaves out each sample's pair with itself.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    paper: ClassVar[str] = "Binkowski et al. 2018, Demystifying MMD GANs (arXiv:1801.01401)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value. ``per_sample`` is h(x) = 2 (mean over x' != x of k(x, x') - mean over r of k(x, r)), whose
        standard deviation over the root of n is the standard error given the reference (Serfling 1980, sec. 5.5).

        Raises:
            Skipped: fewer than two samples.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features_of(inputs)
        n = len(generated)
        require(min(n, len(reference)), 2, "generated and reference samples")
        within = mean_kernel_within(generated)
        across = np.concatenate([block.mean(axis=1) for block in kernel_blocks(generated, reference)])
        reference_mean = _reference_mean(reference.tobytes(), reference.shape[1])
        return {
            "": Estimate(
                value=float(within.mean() + reference_mean - 2 * across.mean()),
                family=Family.MMD,
                n=n,
                per_sample=2 * (within - across),
                protocol={
                    "estimator": "U-statistic",
                    "kernel": "(x.y/d + 1)^3",
                    "n_reference": len(reference),
                    "dtype": "float64",
                },
            )
        }


def kernel_blocks(rows: Floats, columns: Floats) -> Iterator[Floats]:
    """The kernel matrix ``[N, M]`` of features ``[N, D]`` and ``[M, D]``, some rows at a time."""
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK] @ columns.T
        block /= rows.shape[1]
        block += 1
        yield block * block * block


def mean_kernel_within(features: Floats) -> Floats:
    """Mean kernel of each sample with all the others, float64 ``[N]``."""
    sums = np.concatenate([block.sum(axis=1) for block in kernel_blocks(features, features)])
    itself = ((features**2).sum(axis=1) / features.shape[1] + 1) ** 3
    means: Floats = (sums - itself) / (len(features) - 1)
    return means


@lru_cache(maxsize=32)
def _reference_mean(content: bytes, dim: int) -> float:
    """Mean kernel over the pairs of a reference set; kept, since all models are measured against the same few."""
    features = np.frombuffer(content, np.float64).reshape(-1, dim)
    return float(mean_kernel_within(features).mean())
