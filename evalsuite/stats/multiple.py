"""Corrections for testing many things at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import false_discovery_control


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values (Holm 1979): the chance of any false alarm stays below the level."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in result]


def q_values(p_values: Sequence[float], overlapping: bool) -> list[float]:
    """False-discovery-rate adjusted p-values.

    Args:
        p_values: of one table.
        overlapping: Benjamini and Yekutieli 2001, which holds for any dependence, instead of Benjamini and Hochberg
            1995: for slices that share samples.
    """
    if not p_values:
        return []
    method = "by" if overlapping else "bh"
    return [float(value) for value in false_discovery_control(p_values, method=method)]
