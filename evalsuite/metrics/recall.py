"""Recall: the share of the reference that lies within the generated samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from evalsuite.metrics._features import FeatureMetric, features32_of, require
from evalsuite.metrics._groups import largest_left_out
from evalsuite.metrics._neighbours import K, neighbourhood
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

    k: Annotated[int, Field(ge=1)] = K

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group, whose radii are found anew.

        Raises:
            Skipped: no reference sample, or no more than k generated ones outside the largest group.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features32_of(inputs)
        require(len(generated), self.k + 1 + largest_left_out(inputs.groups), "generated samples")
        require(len(reference), 1, "reference samples")
        found = neighbourhood(generated, reference, self.k, inputs.groups)
        return {
            "": Estimate(
                value=float(found.recalled[0]),
                family=Family.JACKKNIFE,
                n=len(generated),
                replicates=found.recalled[1:],
                group_sizes=found.group_sizes,
                protocol={
                    "estimator": "k-nearest-neighbour balls",
                    "k": self.k,
                    "n": len(generated),
                    "n_reference": len(reference),
                },
            )
        }
