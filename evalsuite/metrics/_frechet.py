"""The Fréchet distance between the Gaussians of two feature sets, without one group after the other, and by sample.

    value = |mu - mu_R|^2 + tr Sigma + tr Sigma_R - 2 tr (Sigma Sigma_R)^(1/2)

(Dowson and Landau 1982; Heusel et al. 2017, eq. 6). With any factor F F' = Sigma_R the last trace is the sum of the
square roots of the eigenvalues of F' Sigma F: a symmetric problem, where the square root of the product Sigma Sigma_R
is not symmetric and may come out complex. Those eigenvalues are squared singular values of the centred features times
F, so with fewer samples than dimensions they are found among the samples. All arithmetic is in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dsygst

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics._features import Floats, features_of, finite, require
from evalsuite.metrics._groups import largest_left_out, leave_one_group_out
from evalsuite.metrics._kept import kept
from evalsuite.metrics._square_root import above_rounding, sum_of_roots, trace_of_root
from evalsuite.metrics.contract import FeatureInputs
from evalsuite.records import Moments

SAMPLES_PER_DIMENSION = 5
"""With fewer samples for each dimension the bias exceeds most differences that one looks for."""

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Frechet:
    """The plain estimate at this number of samples, and what its uncertainty follows from.

    Attributes:
        value: squared distance, 0 or above.
        replicates: float64 ``[G]``, the value with group g left out; empty with a single group.
        group_sizes: int64 ``[G]``.
        influence: float32 ``[N]``, see :meth:`Cloud.influence`.
        protocol: the estimator's constants.
        invalid: set where the whole set is too small for the dimension: a value, but nothing to decide on.
    """

    value: float
    replicates: Floats
    group_sizes: NDArray[np.int64]
    influence: NDArray[np.float32]
    protocol: dict[str, str | int]
    invalid: str


@dataclass(frozen=True)
class Gaussian:
    """The reference.

    Attributes:
        mean: float64 ``[D]``.
        factor: float64 ``[D, R]``, F with F F' the covariance, divided by n - 1; R is its rank or D.
        trace: of the covariance.
        triangular: whether F is Cholesky's factor, of full rank.
    """

    mean: Floats
    factor: Floats
    trace: float
    triangular: bool

    @classmethod
    def of(cls, mean: Floats, covariance: Floats) -> Gaussian:
        """With the covariance's Cholesky factor, or where it is singular with its eigenvectors.

        Directions in which the features do not vary are left out: their eigenvalues are rounding, and its square root
        would not be small. Cholesky's factor takes a tenth of the time but cannot leave any out.
        """
        dim, trace = len(covariance), float(np.trace(covariance))
        try:
            cholesky = np.asarray(np.linalg.cholesky(covariance), np.float64)
        except np.linalg.LinAlgError:
            pass
        else:
            if np.diag(cholesky).min() ** 2 > dim * EPSILON * np.diag(covariance).max():
                return cls(mean, cholesky, trace, triangular=True)
        eigenvalues, vectors = np.linalg.eigh(covariance)
        real = eigenvalues > max(eigenvalues[-1], 0.0) * dim * EPSILON
        return cls(mean, vectors[:, real] * np.sqrt(eigenvalues[real]), trace, triangular=False)

    def product(self, scatter: Floats) -> Floats:
        """F' S F of a symmetric S, float64 ``[D, D]``; only the lower triangle of the result is set.

        LAPACK's step of the generalised eigenproblem does it in a quarter of the operations of two products.
        """
        if not self.triangular:
            return self.factor.T @ scatter @ self.factor
        found, _ = dsygst(scatter.T, self.factor.T, itype=2, lower=0)  # transposed, so that no copy changes the order
        lower: Floats = found.T
        return lower


def frechet(inputs: FeatureInputs) -> Frechet:
    """Fréchet distance of generated features and a reference, with covariances divided by n - 1.

    Raises:
        Skipped: fewer than two samples, or a subset with fewer than five for each dimension; names the n it needs.
        Failed: a feature is NaN or infinite, or the two sides differ in their dimension.
    """
    numbers = _numbers(*sides(inputs), inputs.groups)
    return Frechet(*numbers, protocol=protocol_of(inputs), invalid=too_small(inputs))


def sides(inputs: FeatureInputs) -> tuple[Floats, Gaussian]:
    """Generated features, float64 ``[N, D]``, and the reference; raises as :func:`frechet` does."""
    if isinstance(inputs.reference, Moments):
        generated, reference = finite(inputs.generated, "generated"), _given(inputs.reference, inputs)
    else:
        generated, rows = features_of(inputs)
        require(len(rows), 2, "reference samples")
        reference = fitted(inputs.reference.features)
    require(len(generated), 2 + largest_left_out(inputs.groups), "generated samples")
    if not inputs.whole and (needed := _needed(inputs)):
        raise Skipped(f"needs at least {needed}, has {_found(inputs)}")
    return generated, reference


def protocol_of(inputs: FeatureInputs) -> dict[str, str | int]:
    """What a value depends on beside the features; the n of the reference is ``unknown`` where nobody wrote it down."""
    known = _reference_samples(inputs)
    n_reference: str | int = "unknown" if known is None else known
    return {"n": len(inputs.generated.features), "n_reference": n_reference, "ddof": 1, "dtype": "float64"}


def too_small(inputs: FeatureInputs) -> str:
    """Why nothing may be decided on a set that is too small for its dimension; "" where it is large enough."""
    needed = _needed(inputs)
    return f"biased: made from {_found(inputs)} samples, fewer than {needed}" if needed else ""


def _needed(inputs: FeatureInputs) -> str:
    """How many samples a value of little bias needs; "" where there are as many."""
    dim = inputs.generated.features.shape[1]
    needed = SAMPLES_PER_DIMENSION * dim
    known = [n for n in (len(inputs.generated.features), _reference_samples(inputs)) if n is not None]
    which = f"({SAMPLES_PER_DIMENSION} for each of {dim} features)"
    return f"{needed} generated and reference samples {which}" if min(known) < needed else ""


def _found(inputs: FeatureInputs) -> str:
    known = _reference_samples(inputs)
    return f"{len(inputs.generated.features)} and {'an unknown number of' if known is None else known}"


def _reference_samples(inputs: FeatureInputs) -> int | None:
    return inputs.reference.n if isinstance(inputs.reference, Moments) else len(inputs.reference.features)


# --- the reference -------------------------------------------------------------------------------------------------


def _given(moments: Moments, inputs: FeatureInputs) -> Gaussian:
    dims = inputs.generated.features.shape[1], len(moments.mean)
    if dims[0] != dims[1]:
        raise Failed(f"generated features have {dims[0]} dimensions and those of the reference {dims[1]}")
    if not (np.isfinite(moments.mean).all() and np.isfinite(moments.covariance).all()):
        raise Failed("the mean or the covariance of the reference holds NaN or infinite values; make them again")
    return _described(moments.mean, moments.covariance)


_described = kept(4)(Gaussian.of)


@kept(4)
def fitted(features: NDArray[np.float32]) -> Gaussian:
    """Of features ``[M, D]``, of which there are two or more."""
    rows = features.astype(np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    samples, dim = rows.shape
    if samples > dim:
        return Gaussian.of(mean, rows.T @ rows / (samples - 1))
    factor: Floats = rows.T / np.sqrt(samples - 1)
    return Gaussian(mean, factor, float((factor**2).sum()), triangular=False)


# --- the generated samples -----------------------------------------------------------------------------------------


@kept(4)
def _numbers(
    generated: Floats, reference: Gaussian, groups: NDArray[np.int64]
) -> tuple[float, Floats, NDArray[np.int64], NDArray[np.float32]]:
    """Value, replicates, group sizes and influence: the same for ``fid`` and ``fid_debiased``."""
    cloud = Cloud.of(generated, reference)
    replicates, sizes = leave_one_group_out(cloud.distance_of, groups)
    return cloud.distance(), replicates, sizes, cloud.influence().astype(np.float32)


def squared_distance(generated: Floats, reference: Gaussian) -> float:
    """The value alone, of features ``[N, D]`` with N at least 2: a third of the work of :class:`Cloud`."""
    n = len(generated)
    mean = generated.mean(axis=0)
    centred = generated - mean
    root = sum_of_roots(np.linalg.eigvalsh(_gram(centred, reference)), n - 1) / np.sqrt(n - 1)
    return _assembled(mean - reference.mean, (centred**2).sum() / (n - 1), reference.trace, root)


def _gram(centred: Floats, reference: Gaussian) -> Floats:
    """F' (centred' centred) F, or where there are fewer samples than that has rows, (centred F) (centred F)': both have
    the same eigenvalues above 0. Only the lower triangle is set."""
    n, rank = len(centred), reference.factor.shape[1]
    if reference.triangular and n >= rank:
        return reference.product(centred.T @ centred)
    rows = centred @ reference.factor
    return rows.T @ rows if n >= rank else rows @ rows.T


def _assembled(shift: Floats, trace: float, reference_trace: float, root: float) -> float:
    distance = float(shift @ shift + trace + reference_trace - 2 * root)
    return max(distance, 0.0)  # below 0 only by rounding: it is a squared distance


@dataclass(frozen=True)
class Cloud:
    """Generated samples, centred, in coordinates that make the distance of any large part of them cheap.

    Attributes:
        shift: float64 ``[D]``, their mean minus that of the reference.
        centred: float64 ``[N, D]``, minus their mean.
        squares: float64 ``[N]``, the squared lengths of the centred samples.
        scatter: float64 ``[R]``, the eigenvalues above rounding of F' (centred' centred) F, where F F' is the
            covariance of the reference.
        coordinates: float64 ``[N, R]``, centred samples times F in the eigenvectors' basis: their columns are
            orthogonal, and ``scatter`` are their squared lengths.
        reference_trace: tr Sigma_R.
    """

    shift: Floats
    centred: Floats
    squares: Floats
    scatter: Floats
    coordinates: Floats
    reference_trace: float

    @classmethod
    def of(cls, generated: Floats, reference: Gaussian) -> Cloud:
        """Of features ``[N, D]`` with N at least 2."""
        mean = generated.mean(axis=0)
        centred = generated - mean
        scatter, vectors = np.linalg.eigh(_gram(centred, reference))
        real = above_rounding(scatter, len(centred) - 1)
        scatter, vectors = scatter[real], vectors[:, real]
        few = len(centred) < reference.factor.shape[1]
        coordinates = vectors * np.sqrt(scatter) if few else centred @ (reference.factor @ vectors)
        squares = (centred**2).sum(axis=1)
        return cls(mean - reference.mean, centred, squares, scatter, coordinates, reference.trace)

    def distance(self) -> float:
        """The value of all samples."""
        n = len(self.centred)
        root = float(np.sqrt(self.scatter).sum() / np.sqrt(n - 1))
        return _assembled(self.shift, self.squares.sum() / (n - 1), self.reference_trace, root)

    def distance_of(self, stay: NDArray[np.bool_]) -> float:
        """The value of these samples, bool ``[N]``, two or more; the fewer are left out the cheaper.

        The scatter about the new mean is the old one minus that of the rows left out, and minus one row more for the
        mean, which their absence moves.
        """
        n, gone = int(stay.sum()), ~stay
        moved = self.centred[gone].sum(axis=0) / n
        trace = (self.squares[stay].sum() - n * moved @ moved) / (n - 1)
        coordinates = self.coordinates[gone]
        removed = np.vstack([coordinates, coordinates.sum(axis=0) / np.sqrt(n)])
        root = trace_of_root(self.scatter, removed, n - 1) / np.sqrt(n - 1)
        return _assembled(self.shift - moved, trace, self.reference_trace, root)

    def influence(self) -> Floats:
        """What each sample adds to the value, to first order, float64 ``[N]``, with mean 0.

        It is psi(x) / n, where psi(x) = 2 (mu - mu_R)'(x - mu) + (x - mu)'(I - T)(x - mu) - mean is the derivative of
        the value by the weight of the sample, which is 1 / n, and T = F M^(-1/2) F' with M = F' Sigma F is the optimal
        transport map from the generated covariance to that of the reference. Leaving m of n samples out changes the
        value by about -n / (n - m) times their sum. Where the covariance is singular, T is that on its range, which no
        sample leaves. The derivative holds there too, but says less: with n below D every sample that is left out takes
        a dimension with it, which is no small change.
        """
        n = len(self.centred)
        transported = (self.coordinates**2 / np.sqrt(self.scatter / (n - 1))).sum(axis=1)
        psi = 2 * self.centred @ self.shift + self.squares - transported
        influence: Floats = (psi - psi.mean()) / n
        return influence
