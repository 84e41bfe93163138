"""Features -> their mean and covariance, and samples that have given ones."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped, UsageError
from evalsuite.records import FeatureSet, Moments

BLOCK = 4096
"""Rows that are in memory as float64 at once."""


def moments_of(features: FeatureSet) -> Moments:
    """Mean and covariance (divided by n - 1) of features ``[N, D]``, in float64.

    Raises:
        UsageError: there are fewer than two samples.
    """
    rows = features.features
    n, dim = rows.shape
    if n < 2:
        raise UsageError(f"found {n} sample, expected at least 2 for a covariance")
    mean = rows.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((dim, dim))
    for start in range(0, n, BLOCK):
        centred = rows[start : start + BLOCK].astype(np.float64) - mean
        scatter += centred.T @ centred
    return Moments(
        extractor=features.extractor,
        fingerprint=features.fingerprint,
        preprocessing=features.preprocessing,
        mean=mean,
        covariance=scatter / (n - 1),
        n=n,
        source=features.source,
    )


def samples_with(moments: Moments) -> FeatureSet:
    """As many samples as the file was made from, with exactly its mean and covariance, and nothing else in common.

    They are F cos(...), where F F' is the covariance and the cosines are those of the discrete cosine transform:
    orthonormal, and orthogonal to the constant, so that they do not move the mean.

    Raises:
        Skipped: the file does not say from how many, on which values depend.
        UsageError: it is no covariance of so few samples.
    """
    n, mean = moments.n, moments.mean
    if n is None:
        raise Skipped("the statistics do not say of how many samples they are; make them with evalsuite statistics")
    eigenvalues, vectors = np.linalg.eigh(moments.covariance)
    real = eigenvalues > max(eigenvalues[-1], 0.0) * len(mean) * np.finfo(np.float64).eps
    rank = int(real.sum())
    if rank >= n:
        raise UsageError(f"the covariance has rank {rank}, which {n} samples cannot have")
    waves = np.cos(np.pi / n * np.outer(np.arange(n) + 0.5, np.arange(1, rank + 1))) * np.sqrt(2 * (n - 1) / n)
    return FeatureSet(
        extractor=moments.extractor,
        fingerprint=moments.fingerprint,
        preprocessing=moments.preprocessing,
        sample_ids=np.arange(n, dtype=np.int64),
        features=cast(NDArray[np.float32], mean + (waves * np.sqrt(eigenvalues[real])) @ vectors[:, real].T),
        source=moments.source,
    )
