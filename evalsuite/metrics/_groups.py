"""A statistic with one jackknife group after the other left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def leave_one_group_out(
    statistic: Callable[[NDArray[np.bool_]], float], groups: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The statistic of all samples but one group's, for each group that has samples and does not hold them all.

    Args:
        statistic: takes a mask of samples, bool ``[N]``.
        groups: int64 ``[N]``.

    Returns:
        values float64 ``[G]`` and group sizes int64 ``[G]``.
    """
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) < 2:
        return np.empty(0), np.empty(0, np.int64)
    return np.array([statistic(groups != name) for name in names]), sizes.astype(np.int64)


def largest_left_out(groups: NDArray[np.int64]) -> int:
    """Samples in the largest group that is ever left out: 0 where there is only one group."""
    _, sizes = np.unique(groups, return_counts=True)
    return int(sizes.max()) if len(sizes) > 1 else 0
