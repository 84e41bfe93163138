"""Do two sets of samples come from one distribution? Permutation tests, which are exact for sets of any size.

If they do, which sample belongs to which set means nothing: the statistic is compared with those of the same samples
dealt out anew (Gretton et al. 2012, section 7, for the kernel distance).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite.stats.evidence import StudentT

Floats = NDArray[np.float64]
Deals = NDArray[np.bool_]
"""bool ``[P, N]``: by deal, whether each of the pooled samples is in the first set; deal 0 is the true one."""

BLOCK = 512
"""Rows of the kernel matrix that are in memory at once."""


@dataclass(frozen=True)
class Tested:
    """A distance of two sets.

    Attributes:
        evidence: its value and interval.
        typical: 95 % of deals of the pooled samples into two sets stay below this: what no drift looks like.
        p_value: of "both sets come from one distribution".
    """

    evidence: StudentT
    typical: float
    p_value: float


def deals(first: int, second: int, count: int, random: np.random.Generator) -> Deals:
    """The true deal of ``first + second`` samples, and so many random ones of the same sizes."""
    true = np.arange(first + second) < first
    return np.concatenate([true[None], random.permuted(np.tile(true, (count, 1)), axis=1)])


def kernel_test(features: Floats, kernel: Callable[[Floats], Floats], dealt: Deals) -> Tested:
    """Squared maximum mean discrepancy of the two sets, unbiased.

    The interval follows from the projections of both sets (Serfling 1980, section 5.5): the variance of
    h(x) = 2 (mean k(x, X') - mean k(x, Y)) over n, and the same of the other set.

    Args:
        features: float64 ``[N, D]``, of both sets.
        kernel: from inner products to the kernel, entry by entry; may overwrite its argument.
        dealt: which of them are in the first set.
    """
    total = len(features)
    n = int(dealt[0].sum())
    m = total - n
    members = dealt.T.astype(np.float64)
    within_first = np.zeros(len(dealt))
    to_all, to_first = np.empty(total), np.empty(total)
    for start in range(0, total, BLOCK):
        rows = slice(start, min(start + BLOCK, total))
        block = kernel(features[rows] @ features.T)
        block[np.arange(block.shape[0]), np.arange(rows.start, rows.stop)] = 0.0
        sums = block @ members
        within_first += (sums * members[rows]).sum(axis=0)
        to_all[rows], to_first[rows] = block.sum(axis=1), sums[:, 0]
    across = to_all @ members - within_first
    within_second = to_all.sum() - within_first - 2 * across
    distances = within_first / (n * (n - 1)) + within_second / (m * (m - 1)) - 2 * across / (n * m)
    true = dealt[0]
    h_first = 2 * (to_first[true] / (n - 1) - (to_all - to_first)[true] / m)
    h_second = 2 * ((to_all - to_first)[~true] / (m - 1) - to_first[~true] / n)
    error = float(np.sqrt(h_first.var(ddof=1) / n + h_second.var(ddof=1) / m))
    evidence = StudentT(float(distances[0]), error, min(n, m) - 1, "t over samples of both sets")
    return Tested(evidence, float(np.quantile(distances[1:], 0.95)), _share_as_large(distances))


def counts_test(tags: NDArray[np.int64], dealt: Deals) -> float:
    """p-value of "every tag has the same share in both sets", by the chi-square statistic.

    Args:
        tags: int64 ``[N]``, counted from 0.
        dealt: which samples are in the first set.
    """
    one_hot = np.eye(int(tags.max()) + 1)[tags]
    one_hot = one_hot[:, one_hot.sum(axis=0) > 0]
    sizes = one_hot.sum(axis=0)
    expected = sizes * (dealt[0].sum() / len(tags))
    found = dealt.astype(np.float64) @ one_hot
    # Of a set's complement the deviations are the same, so that one set says it all.
    return _share_as_large(((found - expected) ** 2 / sizes).sum(axis=1))


def _share_as_large(statistics: Floats) -> float:
    """Share of all deals, the true one among them, whose statistic is as large as that of the true one."""
    bound = statistics[0] - 1e-9 * abs(statistics[0])  # deals that are the same but for rounding count as equal
    return float(np.mean(statistics >= bound))
