"""Vendi score: how many different things there are among the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from evalsuite.metrics._features import FeatureMetric, Floats, finite, require
from evalsuite.metrics._groups import largest_left_out, leave_one_group_out
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Vendi(FeatureMetric):
    """exp of the entropy of the eigenvalues of K / n, where K holds the cosines of all pairs of features; from 1 (all
    alike) to n (all orthogonal), and at most the number of features.

    The effective number of distinct samples: knows nothing of the reference and nothing of quality, so read it beside
    a distance. Grows with n.
    """

    uses_reference: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Friedman and Dieng 2022, The Vendi Score (arXiv:2210.02410)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group.

        Raises:
            Skipped: no samples.
            Failed: a feature is NaN or infinite.
        """
        features = finite(inputs.generated, "generated")
        require(len(features), 1 + largest_left_out(inputs.groups), "generated samples")
        norms = np.linalg.norm(features, axis=1, keepdims=True)
        # A vector of zeros has no direction: it is like itself alone, and so adds an eigenvalue of its own.
        lost = (norms == 0).ravel()
        directions = np.divide(features, norms, out=np.zeros_like(features), where=norms > 0)
        # X'X and XX' have the same eigenvalues above 0; the smaller of the two is the quicker.
        by_feature = directions.shape[1] < len(directions)
        gram = directions.T @ directions if by_feature else directions @ directions.T

        def without(kept: NDArray[np.bool_]) -> float:
            gone = directions[~kept]
            rest = gram - gone.T @ gone if by_feature else gram[np.ix_(kept, kept)]
            return effective_number(rest, int(kept.sum()), int(lost[kept].sum()))

        replicates, sizes = leave_one_group_out(without, inputs.groups)
        return {
            "": Estimate(
                value=effective_number(gram, len(features), int(lost.sum())),
                family=Family.JACKKNIFE,
                n=len(features),
                replicates=replicates,
                group_sizes=sizes,
                protocol={"estimator": "vendi", "kernel": "cosine", "order": 1, "n": len(features)},
            )
        }


def effective_number(gram: Floats, n: int, lost: int = 0) -> float:
    """exp(-sum p log p) over p, the eigenvalues of ``gram`` and ``lost`` ones, divided by n (eq. 3 of the paper)."""
    p = np.linalg.eigvalsh(gram).clip(min=0) / n
    return float(np.exp(-xlogy(p, p).sum() - lost * xlogy(1 / n, 1 / n)))
