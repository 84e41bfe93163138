"""The Fréchet distance between the Gaussians of two feature sets, and its values with one group left out.

    d = |mu - mu_R|^2 + tr Sigma + tr Sigma_R - 2 tr (Sigma Sigma_R)^(1/2)

(Dowson and Landau 1982; Heusel et al. 2017, eq. 6). With any factor F F' = Sigma_R the last trace is the sum of the
square roots of the eigenvalues of F' Sigma F: a symmetric problem, solved in float64, where the square root of the
product Sigma Sigma_R is not symmetric and may come out complex. All features are projected onto F once; what is left
for each group is a covariance in the projected space, made by taking the group's sums from those of all samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped
from evalsuite.metrics._features import Floats, features_of, require
from evalsuite.metrics._groups import largest_left_out, leave_one_group_out
from evalsuite.metrics.contract import FeatureInputs

SAMPLES_PER_DIMENSION = 5
"""With fewer samples for each dimension the bias exceeds most differences that one looks for."""


@dataclass(frozen=True)
class Frechet:
    """The plain estimate at this number of samples, and what its uncertainty follows from.

    Attributes:
        value: squared distance, 0 or above.
        replicates: float64 ``[G]``, the value with group g left out; empty with a single group.
        group_sizes: int64 ``[G]``.
        protocol: the estimator's constants.
        warning: set where the whole set is too small for the dimension.
    """

    value: float
    replicates: Floats
    group_sizes: NDArray[np.int64]
    protocol: dict[str, str | int]
    warning: str


def frechet(inputs: FeatureInputs) -> Frechet:
    """Fréchet distance of generated and reference features, with covariances divided by n - 1.

    Raises:
        Skipped: fewer than two samples, or a subset with fewer than five for each dimension; names the n it needs.
        Failed: a feature is NaN or infinite.
    """
    generated, reference = features_of(inputs)
    require(len(reference), 2, "reference samples")
    require(len(generated), 2 + largest_left_out(inputs.groups), "generated samples")
    warning = _too_few(generated, reference, inputs.whole)
    projected = _Projected.of(generated, reference)
    replicates, sizes = leave_one_group_out(projected.distance, inputs.groups)
    return Frechet(
        value=projected.distance(np.ones(len(generated), dtype=bool)),
        replicates=replicates,
        group_sizes=sizes,
        protocol={"n": len(generated), "n_reference": len(reference), "ddof": 1, "dtype": "float64"},
        warning=warning,
    )


def _too_few(generated: Floats, reference: Floats, whole: bool) -> str:
    """The warning for a whole set that is too small; "" where it is large enough."""
    (n, dim), m = generated.shape, len(reference)
    needed = SAMPLES_PER_DIMENSION * dim
    if min(n, m) >= needed:
        return ""
    shortage = f"{needed} generated and reference samples ({SAMPLES_PER_DIMENSION} for each of {dim} features)"
    if not whole:
        raise Skipped(f"needs at least {shortage}, has {n} and {m}")
    return f"biased: made from {n} and {m} samples, fewer than {shortage}"


@dataclass(frozen=True)
class _Projected:
    """Generated features in the coordinates of the reference.

    Attributes:
        shifted: float64 ``[N, D]``, features minus the reference mean.
        projected: float64 ``[N, R]``, the same times F, where F F' is the reference covariance.
        gram: float64 ``[R, R]``, ``projected' projected``.
        reference_trace: tr Sigma_R.
    """

    shifted: Floats
    projected: Floats
    gram: Floats
    reference_trace: float

    @classmethod
    def of(cls, generated: Floats, reference: Floats) -> _Projected:
        mean = reference.mean(axis=0)
        factor = covariance_factor(reference - mean)
        shifted = generated - mean
        projected = shifted @ factor
        return cls(shifted, projected, projected.T @ projected, float((factor**2).sum()))

    def distance(self, kept: NDArray[np.bool_]) -> float:
        """Distance of the samples in this mask, bool ``[N]``, of which there are two or more."""
        shift = self.shifted[kept].mean(axis=0)
        trace = ((self.shifted[kept] - shift) ** 2).sum() / (kept.sum() - 1)
        distance = shift @ shift + trace + self.reference_trace - 2 * self._trace_of_root(kept)
        return max(float(distance), 0.0)  # below 0 only by rounding: it is a squared distance

    def _trace_of_root(self, kept: NDArray[np.bool_]) -> float:
        """tr (Sigma Sigma_R)^(1/2): without a Gram matrix where there are fewer samples than dimensions."""
        n = int(kept.sum())
        if n < self.projected.shape[1]:
            rows = self.projected[kept]
            return float(np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False).sum() / np.sqrt(n - 1))
        gone = self.projected[~kept]
        mean = (self.projected.sum(axis=0) - gone.sum(axis=0)) / n
        covariance = (self.gram - gone.T @ gone - n * np.outer(mean, mean)) / (n - 1)
        return float(np.sqrt(np.linalg.eigvalsh(covariance).clip(min=0)).sum())


def covariance_factor(centred: Floats) -> Floats:
    """F, float64 ``[D, R]``, with F F' the covariance of centred features ``[M, D]`` and R at most min(M, D).

    Directions in which the features do not vary are left out: their eigenvalues are rounding, and its square root
    would not be small.
    """
    samples, dim = centred.shape
    if samples < dim:
        scaled: Floats = centred.T / np.sqrt(samples - 1)
        return scaled
    eigenvalues, vectors = np.linalg.eigh(centred.T @ centred / (samples - 1))
    real = eigenvalues > eigenvalues.max() * dim * np.finfo(np.float64).eps
    factor: Floats = vectors[:, real] * np.sqrt(eigenvalues[real])
    return factor
