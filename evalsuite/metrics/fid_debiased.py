"""Fréchet distance of features, with the bias of a finite number of samples taken off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._features import FeatureMetric, require
from evalsuite.metrics._frechet import SAMPLES_PER_DIMENSION, frechet
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family
from evalsuite.stats.jackknife import MIN_GROUPS, debiased


class FidDebiased(FeatureMetric):
    """``fid`` with its bias of order 1/n removed by the delete-group jackknife; near 0 at best, and then of any sign.

    The bias that the finite reference set causes stays: values hold given that set.
    """

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    samples_per_dimension: ClassVar[int] = SAMPLES_PER_DIMENSION
    paper: ClassVar[str] = (
        "Chong and Forsyth 2020, Effectively Unbiased FID (arXiv:1911.07023); "
        "the correction is the jackknife of Busing et al. 1999"
    )

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value. Its replicates are those of ``fid`` plus the same correction, so that they belong to this value.

        Raises:
            Skipped: too few samples (names the n it needs), or of too few groups.
            Failed: a feature is NaN or infinite.
        """
        found = frechet(inputs)
        require(len(found.replicates), MIN_GROUPS, "groups of samples for the jackknife")
        value = debiased(found.value, found.replicates, found.group_sizes)
        return {
            "": Estimate(
                value=value,
                family=Family.FRECHET_DEBIASED,
                n=len(inputs.generated.features),
                replicates=found.replicates + (value - found.value),
                group_sizes=found.group_sizes,
                influence=found.influence,
                protocol={"estimator": "frechet, delete-group jackknife", **found.protocol},
                invalid=found.invalid,
            )
        }
