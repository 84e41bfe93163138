"""Metric ``fid``: the Fréchet distance between features of generated and reference images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.metrics._frechet import frechet_estimate
from evalsuite.metrics.contract import Estimate, FeatureInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class Fid(Settings):
    """The plain estimate at this n, as in the literature; range [0, inf), lower is better.

    It is biased upwards by an amount that depends on n and on the model, so values of different n are not comparable
    and differences are bias-corrected. Under five samples a dimension a slice is skipped and the whole set is warned of.

    Attributes:
        extractor: whose features; distances in different features are not comparable.
    """

    extractor: str = "fashion-cnn"

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.FEATURES
    paper: ClassVar[str] = "Heusel et al. 2017, GANs Trained by a Two Time-Scale Update Rule, arXiv 1706.08500"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        found = frechet_estimate(inputs)
        return {
            "": Estimate(
                found.value,
                Family.FRECHET,
                len(inputs.groups),
                replicates=found.replicates,
                group_sizes=found.group_sizes,
                protocol={"estimator": "plain, divisor n - 1"},
                warning=found.warning,
            )
        }
