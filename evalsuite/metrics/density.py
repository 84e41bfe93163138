"""Density: how many balls of the reference a generated sample is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from evalsuite.metrics._features import FeatureMetric, features32_of, require
from evalsuite.metrics._neighbours import K, neighbourhood
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Density(FeatureMetric):
    """Mean over generated samples of the number of k-th-neighbour balls of the reference around it, divided by k.

    0 or above. About 1 for the distribution of the reference itself, and above 1 for samples that gather where the
    reference is dense, so it is no score to be driven up; a single outlier of the reference counts less than in
    ``precision``. The ball includes its surface, and a reference sample is not its own neighbour.

    Attributes:
        k: neighbours that set the radius.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Naeem et al. 2020, Reliable Fidelity and Diversity Metrics (arXiv:2002.09797)"

    k: Annotated[int, Field(ge=1)] = K

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is each generated sample's, independent given the reference.

        Raises:
            Skipped: no generated sample, or no more than k of the reference.
            Failed: a feature is NaN or infinite.
        """
        generated, reference = features32_of(inputs)
        require(len(generated), 1, "generated samples")
        require(len(reference), self.k + 1, "reference samples")
        values = neighbourhood(generated, reference, self.k, inputs.groups).balls / self.k
        return {
            "": Estimate(
                value=float(values.mean()),
                family=Family.MEAN,
                n=len(values),
                per_sample=values,
                protocol={"estimator": "k-nearest-neighbour balls", "k": self.k, "n_reference": len(reference)},
            )
        }
