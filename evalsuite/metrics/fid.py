"""Fréchet distance of features, as the literature prints it: the plain estimate at this number of samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._features import FeatureMetric
from evalsuite.metrics._frechet import SAMPLES_PER_DIMENSION, frechet
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class Fid(FeatureMetric):
    """Squared Fréchet distance between Gaussians fitted to generated and reference features; 0 or above, 0 is best.

    Biased upwards, the more the fewer the samples, so values compare only at equal n and with the same extractor.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    samples_per_dimension: ClassVar[int] = SAMPLES_PER_DIMENSION
    paper: ClassVar[str] = "Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule (arXiv:1706.08500)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value, with the value without each group.

        Raises:
            Skipped: too few samples; names the n it needs.
            Failed: a feature is NaN or infinite.
        """
        found = frechet(inputs)
        return {
            "": Estimate(
                value=found.value,
                family=Family.FRECHET,
                n=len(inputs.generated.features),
                replicates=found.replicates,
                group_sizes=found.group_sizes,
                influence=found.influence,
                protocol={"estimator": "frechet", **found.protocol},
                invalid=found.invalid,
            )
        }
