"""Inception Score: how sure a classifier is of each image, and how varied its answers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from scipy.special import log_softmax, xlogy

from evalsuite.metrics._features import FeatureMetric, Floats, logits_of, require
from evalsuite.metrics._groups import leave_one_group_out
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class InceptionScore(FeatureMetric):
    """exp(mean KL(p(y|x) || p(y))) over all samples at once, without splits; from 1 to the number of classes.

    Knows nothing of the reference, and grows with n. The classifier is that of the extractor, so values compare only
    for the same extractor.
    """

    uses_reference: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Salimans et al. 2016, Improved Techniques for Training GANs (arXiv:1606.03498)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group.

        Raises:
            Skipped: no samples, or the extractor classifies nothing.
            Failed: a class score is NaN or infinite.
        """
        log_p = log_softmax(logits_of(inputs.generated), axis=1)
        require(len(log_p), 1, "generated samples")
        replicates, sizes = leave_one_group_out(lambda kept: score(log_p[kept]), inputs.groups)
        return {
            "": Estimate(
                value=score(log_p),
                family=Family.JACKKNIFE,
                n=len(log_p),
                replicates=replicates,
                group_sizes=sizes,
                protocol={"estimator": "inception score", "splits": 1, "n": len(log_p), "num_classes": log_p.shape[1]},
            )
        }


def score(log_p: Floats) -> float:
    """exp(H(mean p) - mean H(p)), the same as the mean divergence, of log-probabilities ``[N, K]``."""
    p = np.exp(log_p)
    marginal = p.mean(axis=0)
    return float(np.exp((p * log_p).sum(axis=1).mean() - xlogy(marginal, marginal).sum()))
