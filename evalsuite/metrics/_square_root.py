"""Traces of square roots of symmetric matrices that lose a few rows: all 20 for little more than one decomposition.

Wanted is tr (A - B'B)^(1/2), where A is diagonal (the eigenbasis is known) and B has k rows, far fewer than A. With the
best rational approximation of x^(-1/2) = sum_j w_j / (x + s_j) (Zolotarev's, in the form of Hale, Higham and Trefethen
2008, method 3), integrating both sides gives

    x^(1/2) = constant + sum_j w_j log(x + s_j) / 2

with the same relative error, so that by the matrix determinant lemma

    tr (A - B'B)^(1/2) = tr A^(1/2) + sum_j w_j log det(I - B (A + s_j)^(-1) B') / 2,

one Cholesky factor of k rows for each node s_j. Only the change is approximated, and it is small.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ellipj, ellipkm1

from evalsuite.metrics._features import Floats

TOLERANCE = 1e-6
"""Relative error of the approximated change: far below what the change itself is uncertain by."""

SHRINKING = 1e-8
"""Eigenvalues of A - B'B may fall to this share of A's smallest one before the approximation gets worse."""

EXACT_DIM = 256
"""Up to this size all eigenvalues cost less than one thinks; beyond it the rational form wins if k is small."""


def trace_of_root(diagonal: Floats, removed: Floats, rank: int) -> float:
    """tr (A - B'B)^(1/2), a positive semidefinite matrix.

    Args:
        diagonal: float64 ``[R]``, of A; positive.
        removed: float64 ``[k, R]``, B.
        rank: how many eigenvalues of A - B'B can differ from 0.
    """
    size, rows = len(diagonal), len(removed)
    if rank >= size > EXACT_DIM and 4 * rows <= size:
        try:
            return float(np.sqrt(diagonal).sum()) + change_of_trace(diagonal, removed)
        except np.linalg.LinAlgError:
            pass  # singular to working precision: eigenvalues say how much is left
    return sum_of_roots(np.linalg.eigvalsh(np.diag(diagonal) - removed.T @ removed), rank)


def change_of_trace(diagonal: Floats, removed: Floats) -> float:
    """tr (A - B'B)^(1/2) - tr A^(1/2), by the rational approximation.

    Raises:
        numpy.linalg.LinAlgError: A - B'B is not positive definite.
    """
    change = 0.0
    for node, weight in zip(*nodes(SHRINKING * diagonal.min(), diagonal.max()), strict=True):
        scaled = removed / np.sqrt(diagonal + node)
        factor = np.linalg.cholesky(np.eye(len(removed)) - scaled @ scaled.T)
        change += weight * float(np.log(np.diag(factor)).sum())  # half the log-determinant
    return change


def nodes(low: float, high: float) -> tuple[Floats, Floats]:
    """Nodes s_j and weights w_j, positive, with x^(-1/2) = sum_j w_j / (x + s_j) within ``TOLERANCE`` on [low, high].

    The formulas of the upper half of the nodes are those of the lower one mirrored, u to K - u: the elliptic functions
    lose all digits near K when high / low is large.
    """
    ratio = low / high
    half = int(np.ceil((np.log(1 / ratio) + 3) / (4 * np.pi**2) * np.log(4 / TOLERANCE)))
    period = ellipkm1(ratio)
    sn, cn, dn, _ = ellipj((np.arange(half) + 0.5) * period / (2 * half), 1 - ratio)
    lower, upper = low * (sn / cn) ** 2, high * (cn / sn) ** 2
    scale = period * np.sqrt(low) / (np.pi * half)
    return np.concatenate([lower, upper]), scale * np.concatenate([dn / cn**2, dn / (np.sqrt(ratio) * sn**2)])


def sum_of_roots(eigenvalues: NDArray[np.floating], rank: int) -> float:
    """Sum of the square roots of a positive semidefinite matrix's eigenvalues, of which ``rank`` can differ from 0."""
    return float(np.sqrt(eigenvalues[above_rounding(eigenvalues, rank)]).sum())


def above_rounding(eigenvalues: NDArray[np.floating], rank: int) -> NDArray[np.bool_]:
    """Which eigenvalues of a positive semidefinite matrix, increasing, ``[R]``, are more than rounding.

    Zeros come out as rounding of either sign, and a square root would blow the positive ones up. The most negative one
    shows how large that rounding is.
    """
    if not len(eigenvalues):
        return np.zeros(0, dtype=bool)
    rounding = max(-2 * eigenvalues[0], np.finfo(np.float64).eps * eigenvalues[-1], 0.0)
    possible = np.arange(len(eigenvalues)) >= len(eigenvalues) - rank
    mask: NDArray[np.bool_] = possible & (eigenvalues > rounding)
    return mask
