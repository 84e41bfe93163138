"""Mean and covariance of features, and the files that keep them: ours, and those of clean-fid and pytorch-fid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped, UsageError
from evalsuite.files import write_atomically
from evalsuite.records import FeatureSet, Moments

FORMAT = "evalsuite-statistics-1"
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


def save(moments: Moments, path: Path) -> None:
    """Write a statistics file: safetensors with ``mean`` and ``covariance``, float64, and the rest as metadata.

    Raises:
        StoreError: the file cannot be written.
    """
    from safetensors.numpy import save as packed

    metadata = {
        "format": FORMAT,
        "n": str(moments.n or ""),
        "extractor": moments.extractor,
        "extractor_fingerprint": moments.fingerprint,
        "preprocessing": moments.preprocessing,
        "source": moments.source,
    }
    write_atomically(path, packed({"mean": moments.mean, "covariance": moments.covariance}, metadata))


def from_safetensors(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], path: Path) -> Moments:
    """The content of a file that :func:`save` wrote.

    Raises:
        UsageError: it is of another format, or its arrays do not fit together.
    """
    if metadata.get("format") != FORMAT:
        raise UsageError(f"{path}: found format {metadata.get('format')!r}, expected {FORMAT!r}")
    n = metadata.get("n", "")
    return _checked(
        Moments(
            extractor=metadata.get("extractor", ""),
            fingerprint=metadata.get("extractor_fingerprint", ""),
            preprocessing=metadata.get("preprocessing", ""),
            mean=arrays["mean"].astype(np.float64),
            covariance=arrays["covariance"].astype(np.float64),
            n=int(n) if n.isdecimal() else None,
            source=metadata.get("source", ""),
        ),
        path,
    )


def from_npz(mu: NDArray[Any], sigma: NDArray[Any], path: Path) -> Moments:
    """The content of a file of clean-fid or pytorch-fid, which says neither n nor the extractor.

    Raises:
        UsageError: the arrays do not fit together.
    """
    if not all(np.issubdtype(array.dtype, np.floating) for array in (mu, sigma)):
        raise UsageError(f"{path}: found mu and sigma of {mu.dtype} and {sigma.dtype}, expected floats")
    mean, covariance = mu.astype(np.float64), sigma.astype(np.float64)
    source = hashlib.sha256(mean.tobytes() + covariance.tobytes()).hexdigest()
    return _checked(Moments("", "", "", mean, covariance, source=source), path)


def _checked(moments: Moments, path: Path) -> Moments:
    mean, covariance = moments.mean, moments.covariance
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        shapes = f"{list(mean.shape)} and {list(covariance.shape)}"
        raise UsageError(f"{path}: found a mean and a covariance of {shapes}, expected [D] and [D, D]")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise UsageError(f"{path}: the mean or the covariance holds NaN or infinite values")
    if not np.allclose(covariance, covariance.T, rtol=1e-6, atol=1e-6 * float(np.abs(covariance).max(initial=0.0))):
        raise UsageError(f"{path}: the covariance is not symmetric, so it is none")
    return moments
