"""Metric ``inception_score``: how confident and how varied a classifier finds the images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics._groups import leave_one_group_out
from evalsuite.metrics.contract import Estimate, FeatureInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class InceptionScore(Settings):
    """``exp E KL(p(y | x) || p(y))`` over all images, without splits; from 1 to the number of classes, higher is better.

    It looks at generated images only, so it sees neither blur that keeps the class nor missing variety within a class.

    Attributes:
        extractor: whose classifier; "Inception" only if it is that.
    """

    extractor: str = "fashion-cnn"

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.FEATURES
    paper: ClassVar[str] = "Salimans et al. 2016, Improved Techniques for Training GANs, arXiv 1606.03498"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        logits = inputs.generated.logits
        if logits is None:
            raise Skipped(f"extractor {self.extractor} classifies nothing; choose one that has logits")
        if not np.isfinite(logits).all():
            raise Failed("the classifier's logits are not finite")
        log_probabilities = log_softmax(np.asarray(logits, np.float64), axis=1)
        replicates, sizes = leave_one_group_out(lambda rows: inception_score(log_probabilities[rows]), inputs.groups)
        return {
            "": Estimate(
                inception_score(log_probabilities),
                Family.JACKKNIFE,
                len(log_probabilities),
                replicates=replicates,
                group_sizes=sizes,
                protocol={"splits": 1},
            )
        }


def inception_score(log_probabilities: NDArray[np.float64]) -> float:
    """The score of float64 ``[N, K]`` log-probabilities."""
    probabilities = np.exp(log_probabilities)
    marginal = probabilities.mean(axis=0)
    divergence = (probabilities * (log_probabilities - np.log(np.maximum(marginal, 1e-300)))).sum(axis=1)
    return float(np.exp(divergence.mean()))
