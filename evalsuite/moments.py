"""Statistics files: mean and covariance of features as we save them, and as clean-fid and pytorch-fid do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import UsageError
from evalsuite.files import write_atomically
from evalsuite.records import Moments

FORMAT = "evalsuite-statistics-1"


def load(path: Path) -> Moments:
    """The content of a statistics file, ``.safetensors`` or ``.npz``.

    Raises:
        UsageError: it cannot be read, or is no statistics file.
    """
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return from_npz(arrays["mu"], arrays["sigma"], path)
        return _load_safetensors(path)
    except UsageError:
        raise
    except Exception as error:  # of a damaged file, whatever the decoder met
        expected = "expected mean and covariance (.safetensors), or mu and sigma (.npz)"
        raise UsageError(f"{path}: cannot be read as statistics: {error}; {expected}") from error


def _load_safetensors(path: Path) -> Moments:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        arrays = {name: file.get_tensor(name) for name in ("mean", "covariance")}
        return from_safetensors(arrays, file.metadata() or {}, path)


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
