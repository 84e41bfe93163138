"""Fréchet distance of features, extrapolated to infinitely many generated samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evalsuite.metrics._features import FeatureMetric, Floats, require
from evalsuite.metrics._frechet import SAMPLES_PER_DIMENSION, frechet, sides, squared_distance
from evalsuite.metrics._groups import largest_left_out
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family
from evalsuite.settings import Fraction
from evalsuite.stats.jackknife import MIN_GROUPS


class FidInfinity(FeatureMetric):
    """``fid`` at several sizes of random subsets, and the value at 1/n = 0 of the line through them by least squares.

    Near 0 at best, and then of any sign. Noisier than ``fid_debiased``, which takes the same bias of order 1/n away
    without throwing samples out; this one is for comparison with published numbers. The line holds while subsets are
    large for the dimension, which is why the smallest has 70 % of the samples and not, as published, a tenth of 50,000.
    The bias that the finite reference set causes stays.

    Attributes:
        seed: of the subsets; models with the same sample ids get the same ones.
        points: sizes, equally spaced, the largest being all samples; more leave less to the luck of the subsets.
        smallest: size of the smallest subset as a share of all samples.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    samples_per_dimension: ClassVar[int] = SAMPLES_PER_DIMENSION
    paper: ClassVar[str] = "Chong and Forsyth 2020, Effectively Unbiased FID (arXiv:1911.07023)"

    seed: int = Field(default=0, ge=0)
    points: int = Field(default=30, ge=2)
    smallest: Fraction = Field(default=0.7, gt=0, lt=1)

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value.

        It is a fixed combination of the distances of fixed subsets, so without a group it changes, to first order, by
        that combination of what the group's samples add to each subset, all by the influence function at the whole
        set. What the first order misses is taken from the whole set, too: replicates are stretched as the exact ones of
        ``fid`` are beside theirs to first order, where that widens them. A jackknife of them is as wide as the value
        varies, the luck of the subsets included, which that of ``fid`` would leave out. Exact ones would cost 20 times
        the value.

        Raises:
            Skipped: too few samples (names the n it needs), or of too few groups.
            Failed: a feature is NaN or infinite, or the two sides differ in their dimension.
        """
        generated, reference = sides(inputs)
        n = len(generated)
        sizes = np.linspace(self.smallest * n, n, self.points).round().astype(int)
        require(int(sizes[0]), 2 + largest_left_out(inputs.groups), "samples in the smallest subset")
        subsets = self._subsets(inputs.generated.sample_ids, sizes)
        names, group, group_sizes = np.unique(inputs.groups, return_inverse=True, return_counts=True)
        require(len(names), MIN_GROUPS, "groups of samples for the jackknife")
        whole = frechet(inputs)
        distances = [squared_distance(generated[rows], reference) for rows in subsets[:-1]] + [whole.value]
        line = np.linalg.pinv(np.stack([np.ones(self.points), 1 / sizes], axis=1))
        value, psi = float(line[0] @ distances), n * whole.influence.astype(np.float64)
        changes = [change_without_groups(psi[rows], group[rows], len(names)) for rows in subsets]
        stretch = max(1.0, _ratio_of_spreads(whole.replicates, change_without_groups(psi, group, len(names))))
        return {
            "": Estimate(
                value=value,
                family=Family.FRECHET_DEBIASED,
                n=n,
                replicates=value + stretch * (line[0] @ np.array(changes)),
                group_sizes=group_sizes.astype(np.int64),
                influence=whole.influence,
                protocol={"estimator": "frechet, extrapolated to 1/n = 0", **self._design(), **whole.protocol},
                invalid=whole.invalid,
            )
        }

    def _design(self) -> dict[str, int | float]:
        return {"seed": self.seed, "points": self.points, "smallest": self.smallest}

    def _subsets(self, sample_ids: NDArray[np.int64], sizes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Rows of a random subset for each size, drawn by sample id, so that the order of samples does not matter."""
        random, by_id = np.random.default_rng(self.seed), np.argsort(sample_ids, kind="stable")
        return [by_id[random.permutation(len(by_id))[:size]] for size in sizes]


def _ratio_of_spreads(a: Floats, b: Floats) -> float:
    """1 where neither varies."""
    return float(np.std(a) / np.std(b)) if np.std(b) > 0 else 1.0


def change_without_groups(psi: Floats, group: NDArray[np.int64], groups: int) -> Floats:
    """How the distance of a subset changes to first order without each group, float64 ``[groups]``.

    Args:
        psi: the influence function at each sample of the subset, float64 ``[N]``.
        group: int64 ``[N]`` in [0, groups).
        groups: how many there are, members in the subset or not.
    """
    sums = np.bincount(group, weights=psi, minlength=groups)
    change: Floats = -sums / (len(psi) - np.bincount(group, minlength=groups))
    return change
