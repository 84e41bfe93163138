"""Squared maximum mean discrepancy of two feature sets, unbiased, and what each sample adds to it.

    MMD^2 = mean k(x, x') - 2 mean k(x, r) + mean k(r, r')

over all pairs of different samples x, x' and of reference samples r, r' (Gretton et al. 2012, eq. 3). Kernels are
functions of inner products, so each pair within a set is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from evalsuite.metrics._features import Floats, require
from evalsuite.metrics._kept import kept
from evalsuite.metrics.contract import Estimate
from evalsuite.records import Family, Scalar

BLOCK = 512
"""Rows of the kernel matrix that are in memory at once."""

Kernel = Callable[[Floats], Floats]
"""From inner products of features to the kernel, entry by entry; may overwrite its argument."""


def mmd(generated: Floats, reference: Floats, kernel: Kernel, protocol: Mapping[str, Scalar]) -> Estimate:
    """MMD^2 of features ``[N, D]`` and ``[M, D]``, float64.

    ``per_sample`` is h(x) = 2 (mean over x' != x of k(x, x') - mean over r of k(x, r)), whose standard deviation over
    the root of n is the standard error given the reference (Serfling 1980, sec. 5.5). ``influence`` is h / n without
    its mean: leaving m of n samples out changes the value by about -n / (n - m) times their sum.

    Raises:
        Skipped: fewer than two samples on either side.
    """
    n = len(generated)
    require(min(n, len(reference)), 2, "generated and reference samples")
    within = mean_within(generated, kernel)
    across = mean_across(generated, reference, kernel)
    h = 2 * (within - across)
    return Estimate(
        value=float(within.mean() + mean_of_reference(reference, kernel) - 2 * across.mean()),
        family=Family.MMD,
        n=n,
        per_sample=h,
        influence=((h - h.mean()) / n).astype(np.float32),
        protocol={"estimator": "U-statistic", **protocol, "n_reference": len(reference), "dtype": "float64"},
    )


def mean_within(features: Floats, kernel: Kernel) -> Floats:
    """Mean kernel of each sample with all the others, float64 ``[N]``."""
    sums = np.zeros(len(features))
    for rows in _blocks(len(features)):
        block = kernel(features[rows] @ features[rows.start :].T)
        size = len(block)
        np.fill_diagonal(block, 0)
        sums[rows] += block.sum(axis=1)
        sums[rows.stop :] += block[:, size:].sum(axis=0)
    means: Floats = sums / (len(features) - 1)
    return means


def mean_across(features: Floats, others: Floats, kernel: Kernel) -> Floats:
    """Mean kernel of each sample ``[N, D]`` with those of the other set ``[M, D]``, float64 ``[N]``."""
    means = [kernel(features[rows] @ others.T).mean(axis=1) for rows in _blocks(len(features))]
    return np.concatenate(means)


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))


@kept(32)
def mean_of_reference(reference: Floats, kernel: Kernel) -> float:
    return float(mean_within(reference, kernel).mean())
