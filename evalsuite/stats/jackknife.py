"""The delete-group jackknife, for groups of equal or unequal size.

Busing, Meijer and van der Leeden 1999, "Delete-m Jackknife for Unequal m"; with equal groups it is the ordinary
delete-group jackknife.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MIN_GROUPS = 10
"""Fewer groups give no interval: the standard error itself would be too uncertain."""


class Jackknife(NamedTuple):
    """Bias-corrected value, its standard error, and the degrees of freedom of that error."""

    value: float
    standard_error: float
    degrees_of_freedom: int


def pseudovalues(value: float, replicates: NDArray[np.float64], group_sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """``h_g v - (h_g - 1) v_(g)`` with ``h_g = n / m_g`` (Busing et al., eq. 5), float64 ``[G]``.

    Args:
        value: the estimate from all samples.
        replicates: float64 ``[G]``, the estimate with group g left out.
        group_sizes: int64 ``[G]``, samples in group g, all above 0.
    """
    h = group_sizes.sum() / group_sizes
    values: NDArray[np.float64] = h * value - (h - 1) * replicates
    return values


def jackknife(value: float, replicates: NDArray[np.float64], group_sizes: NDArray[np.int64]) -> Jackknife:
    """The bias-corrected estimate (Busing et al., eq. 6) and its standard error (eq. 7).

    Raises:
        ValueError: there are fewer than two groups.
    """
    groups = len(replicates)
    if groups < 2:
        raise ValueError(f"the jackknife needs two groups or more, found {groups}")
    shares = group_sizes / group_sizes.sum()
    pseudo = pseudovalues(value, replicates, group_sizes)
    corrected = float(groups * value - ((1 - shares) * replicates).sum())
    h = 1 / shares
    variance = ((pseudo - corrected) ** 2 / (h - 1)).mean()
    return Jackknife(corrected, float(np.sqrt(variance)), groups - 1)


def debiased(value: float, replicates: NDArray[np.float64], group_sizes: NDArray[np.int64]) -> float:
    """The bias-corrected estimate alone."""
    return jackknife(value, replicates, group_sizes).value
