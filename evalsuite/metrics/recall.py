"""Recall: the share of the reference that lies within the generated samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from evalsuite.metrics._features import FeatureMetric, features_of, require
from evalsuite.metrics._groups import largest_left_out
from evalsuite.metrics._neighbours import squared_distances, squared_radii, squared_radii_without
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Recall(FeatureMetric):
    """Share of reference samples within the k-th-neighbour ball of at least one generated sample; 0 to 1.

    The ball includes its surface, and a generated sample is not its own neighbour. Depends on n, so values compare
    only at equal n.

    Attributes:
        k: neighbours that set the radius.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Kynkäänniemi et al. 2019, Improved Precision and Recall Metric (arXiv:1904.06991)"

    k: Annotated[int, Field(ge=1)] = 5

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group, whose radii are found anew.

        Raises:
            Skipped: no reference sample, or no more than k generated ones outside the largest group.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features_of(inputs)
        groups, sizes = np.unique(inputs.groups, return_counts=True)
        if len(groups) == 1:
            groups, sizes = groups[:0], sizes[:0]
        require(len(generated), self.k + 1 + largest_left_out(inputs.groups), "generated samples")
        require(len(reference), 1, "reference samples")
        radii = np.vstack(
            [squared_radii(generated, self.k), squared_radii_without(generated, self.k, inputs.groups, groups)]
        )
        covered = np.zeros(len(radii))
        for _, distances in squared_distances(reference, generated):
            covered += [(distances <= row).any(axis=1).sum() for row in radii]
        value, *replicates = covered / len(reference)
        return {
            "": Estimate(
                value=float(value),
                family=Family.JACKKNIFE,
                n=len(generated),
                replicates=np.array(replicates),
                group_sizes=sizes.astype(np.int64),
                protocol={
                    "estimator": "k-nearest-neighbour balls",
                    "k": self.k,
                    "n": len(generated),
                    "n_reference": len(reference),
                },
            )
        }
