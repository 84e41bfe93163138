"""Metric ``fid_debiased``: the Fréchet distance without its first-order bias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.errors import Skipped
from evalsuite.metrics._frechet import frechet_estimate
from evalsuite.metrics.contract import Estimate, FeatureInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings
from evalsuite.stats.jackknife import MIN_GROUPS, debiased


class FidDebiased(Settings):
    """The delete-group jackknife estimate; lower is better, and about 0 (it may fall below) for equal distributions.

    Attributes:
        extractor: whose features.
    """

    extractor: str = "fashion-cnn"

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = False
    inputs: ClassVar[Inputs] = Inputs.FEATURES
    paper: ClassVar[str] = "Heusel et al. 2017, arXiv 1706.08500; jackknife: Busing et al. 1999, Delete-m Jackknife"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        found = frechet_estimate(inputs)
        if len(found.replicates) < MIN_GROUPS:
            raise Skipped(f"{len(found.replicates)} groups of samples; the bias needs at least {MIN_GROUPS}")
        return {
            "": Estimate(
                debiased(found.value, found.replicates, found.group_sizes),
                Family.FRECHET_DEBIASED,
                len(inputs.groups),
                replicates=found.replicates,
                group_sizes=found.group_sizes,
                protocol={"estimator": "delete-group jackknife of the plain value"},
                warning=found.warning,
            )
        }
