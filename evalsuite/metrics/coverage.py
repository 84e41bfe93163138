"""Coverage: the share of the reference that has a generated sample nearby."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from evalsuite.metrics._features import FeatureMetric, features32_of, require
from evalsuite.metrics._groups import largest_left_out
from evalsuite.metrics._neighbours import K, neighbourhood
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Coverage(FeatureMetric):
    """Share of reference samples whose k-th-neighbour ball holds at least one generated sample; 0 to 1.

    The ball includes its surface, and a reference sample is not its own neighbour. Since balls are those of the
    reference, generated outliers cannot raise it, as they can ``recall``. Depends on n, so values compare only at equal
    n.

    Attributes:
        k: neighbours that set the radius.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Naeem et al. 2020, Reliable Fidelity and Diversity Metrics (arXiv:2002.09797)"

    k: Annotated[int, Field(ge=1)] = K

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group.

        Raises:
            Skipped: no generated sample outside the largest group, or no more than k of the reference.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features32_of(inputs)
        require(len(generated), 1 + largest_left_out(inputs.groups), "generated samples")
        require(len(reference), self.k + 1, "reference samples")
        found = neighbourhood(generated, reference, self.k, inputs.groups)
        return {
            "": Estimate(
                value=float(found.covered[0]),
                family=Family.JACKKNIFE,
                n=len(generated),
                replicates=found.covered[1:],
                group_sizes=found.group_sizes,
                protocol={
                    "estimator": "k-nearest-neighbour balls",
                    "k": self.k,
                    "n": len(generated),
                    "n_reference": len(reference),
                },
            )
        }
