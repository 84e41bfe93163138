"""Authenticity: the share of generated samples that are no copies of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.metrics._features import FeatureMetric, features32_of, require
from evalsuite.metrics._neighbours import K, neighbourhood
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Authenticity(FeatureMetric):
    """Share of generated samples that are farther from their nearest reference sample than that sample is from its own
    nearest neighbour in the reference; 0 to 1.

    0 where all samples are copies. New samples of the reference's own distribution score about 0.4 in few dimensions
    and near 1 in thousands, so set it against real images that were held out. Samples that are far from all of the
    reference count as authentic: it says nothing about quality. Memorised training images show only where those images
    are the reference.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Alaa et al. 2022, How Faithful is your Synthetic Data? (arXiv:2102.08921)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is 0 or 1 for each generated sample, independent given the reference.

        Raises:
            Skipped: no generated sample, or fewer than two of the reference.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features32_of(inputs)
        require(len(generated), 1, "generated samples")
        require(len(reference), 2, "reference samples")
        # The nearest of all do not depend on k; with that of precision and the others the distances are computed once.
        authentic = neighbourhood(generated, reference, K, inputs.groups).authentic.astype(np.float64)
        return {
            "": Estimate(
                value=float(authentic.mean()),
                family=Family.PROPORTION,
                n=len(authentic),
                per_sample=authentic,
                protocol={"estimator": "distance to the nearest reference sample", "n_reference": len(reference)},
            )
        }
