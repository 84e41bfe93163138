"""Precision: the share of generated samples that lie within the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from evalsuite.metrics._features import FeatureMetric, features32_of, require
from evalsuite.metrics._neighbours import K, neighbourhood
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Precision(FeatureMetric):
    """Share of generated samples within the k-th-neighbour ball of at least one reference sample; 0 to 1.

    The ball includes its surface, and a reference sample is not its own neighbour.

    Attributes:
        k: neighbours that set the radius.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Kynkäänniemi et al. 2019, Improved Precision and Recall Metric (arXiv:1904.06991)"

    k: Annotated[int, Field(ge=1)] = K

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is 0 or 1 for each generated sample, independent given the reference: a proportion,
        whose interval does not shrink to a point where all are inside.

        Raises:
            Skipped: no generated sample, or no more than k of the reference.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features32_of(inputs)
        require(len(generated), 1, "generated samples")
        require(len(reference), self.k + 1, "reference samples")
        found = neighbourhood(generated, reference, self.k, inputs.groups)
        inside = (found.balls > 0).astype(np.float64)
        return {
            "": Estimate(
                value=float(inside.mean()),
                family=Family.PROPORTION,
                n=len(inside),
                per_sample=inside,
                protocol={"estimator": "k-nearest-neighbour balls", "k": self.k, "n_reference": len(reference)},
            )
        }
