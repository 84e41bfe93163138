"""The Fréchet distance between two Gaussians, and its leave-one-group-out values.

Dowson and Landau 1982: ``|mu - nu|^2 + tr S + tr R - 2 tr sqrt(S R)``. With a factor ``R = F F'`` the trace of the
square root is the sum of the roots of the eigenvalues of the symmetric ``F' S F``: no matrix square root, no imaginary
part, and right for fewer samples than dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.contract import FeatureInputs
from evalsuite.pairing import NUM_GROUPS

Floats = NDArray[np.float64]

SAMPLES_PER_DIMENSION = 5
"""Below this many samples a dimension the bias is larger than any difference worth knowing."""


@dataclass(frozen=True)
class FrechetEstimate:
    """Plain value, leave-one-group-out values and group sizes, and a caveat or ""."""

    value: float
    replicates: Floats
    group_sizes: NDArray[np.int64]
    warning: str


def frechet_distance(generated: Floats, reference: Floats) -> float:
    """The distance between Gaussians fitted to two sets of features, float ``[N, D]`` and ``[M, D]``; not negative."""
    return _Reference(np.asarray(reference, np.float64)).distance_to(_Moments.of(np.asarray(generated, np.float64)))


def frechet_estimate(inputs: FeatureInputs) -> FrechetEstimate:
    """The distance of a slice's samples to its reference, with what its interval follows from.

    Raises:
        Failed: features are not finite, or of different dimension.
        Skipped: a slice has fewer than five samples a dimension, or there is only one sample.
    """
    generated, reference = checked_features(inputs)
    n, dim = generated.shape
    warning = sample_warning(n, dim, inputs.whole)
    gaussian = _Reference(reference)
    moments = _Moments.of(generated)
    groups = [group for group in range(NUM_GROUPS) if (inputs.groups == group).any()]
    replicates, sizes = [], []
    for group in groups if len(groups) > 1 else []:
        left_out = generated[inputs.groups == group]
        if n - len(left_out) >= 2:
            replicates.append(gaussian.distance_to(moments.without(left_out)))
            sizes.append(len(left_out))
    return FrechetEstimate(gaussian.distance_to(moments), np.array(replicates), np.array(sizes, np.int64), warning)


def checked_features(inputs: FeatureInputs) -> tuple[Floats, Floats]:
    """Generated and reference features in float64.

    Raises:
        Failed: they are not finite, or of different dimension.
        Skipped: there are fewer than two of either.
    """
    generated, reference = (np.asarray(s.features, np.float64) for s in (inputs.generated, inputs.reference))
    for name, features in (("generated", generated), ("reference", reference)):
        if len(features) < 2:
            raise Skipped(f"{len(features)} {name} samples; it needs at least 2")
        if not np.isfinite(features).all():
            bad = int((~np.isfinite(features)).any(axis=1).sum())
            raise Failed(f"{bad} of {len(features)} {name} samples have features that are not finite")
    if generated.shape[1] != reference.shape[1]:
        raise Failed(f"generated features have {generated.shape[1]} dimensions, the reference has {reference.shape[1]}")
    return generated, reference


def sample_warning(n: int, dim: int, whole: bool) -> str:
    """A caveat for the whole set below five samples a dimension.

    Raises:
        Skipped: the same for a slice; names the n it needs.
    """
    needed = SAMPLES_PER_DIMENSION * dim
    if n >= needed:
        return ""
    if not whole:
        raise Skipped(f"{n} samples are too few for a Fréchet distance in {dim} dimensions; it needs {needed}")
    return f"{n} samples in {dim} dimensions: the value is biased upwards; {needed} or more are advised"


@dataclass(frozen=True)
class _Moments:
    """A Gaussian fitted to ``n`` samples: mean ``[D]``, and scatter ``[D, D]`` about it (the covariance times n - 1)."""

    n: int
    mean: Floats
    scatter: Floats

    @classmethod
    def of(cls, features: Floats) -> _Moments:
        mean = features.mean(axis=0)
        centred = features - mean
        return cls(len(features), mean, centred.T @ centred)

    def without(self, left_out: Floats) -> _Moments:
        """The moments of the other samples: a downdate, so that each group costs no pass over all samples."""
        m = len(left_out)
        mean = (self.n * self.mean - left_out.sum(axis=0)) / (self.n - m)
        shift, centred = mean - self.mean, left_out - self.mean
        scatter = self.scatter - centred.T @ centred - (self.n - m) * np.outer(shift, shift)
        return _Moments(self.n - m, mean, scatter)

    @property
    def covariance(self) -> Floats:
        return self.scatter / (self.n - 1)


class _Reference:
    """The reference Gaussian, with a factor of its covariance that every comparison needs."""

    def __init__(self, features: Floats) -> None:
        self.mean = features.mean(axis=0)
        covariance = np.atleast_2d(np.cov(features, rowvar=False))
        self.trace = float(np.trace(covariance))
        values, vectors = scipy.linalg.eigh(covariance)
        self.factor = vectors * np.sqrt(np.clip(values, 0.0, None))

    def distance_to(self, moments: _Moments) -> float:
        """``tr sqrt(S R)`` from the eigenvalues of ``F' S F``, which is symmetric and has the spectrum of ``S R``."""
        covariance = moments.covariance
        spectrum = scipy.linalg.eigvalsh(self.factor.T @ covariance @ self.factor)
        trace_of_root = float(np.sqrt(np.clip(spectrum, 0.0, None)).sum())
        offset = float(((moments.mean - self.mean) ** 2).sum())
        return max(0.0, offset + float(np.trace(covariance)) + self.trace - 2 * trace_of_root)
