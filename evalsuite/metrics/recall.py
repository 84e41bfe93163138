"""Metric ``recall``: the share of reference images that lie where generated images lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped
from evalsuite.metrics._frechet import checked_features
from evalsuite.metrics._groups import leave_one_group_out
from evalsuite.metrics._neighbours import K, covered, squared_radii
from evalsuite.metrics.contract import Estimate, FeatureInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings

MAX_REFERENCE = 2000
"""Reference samples that are looked for: each replicate looks for all of them again."""


class Recall(Settings):
    """Share of reference samples within the 5-nearest-neighbour ball of any generated sample; [0, 1], higher is better.

    It grows with the number of generated samples, so only equal n are compared. Conventions as in ``precision``. Of a
    larger reference an evenly spread part of 2000 is looked for.

    Attributes:
        extractor: whose features.
    """

    extractor: str = "fashion-cnn"

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.FEATURES
    paper: ClassVar[str] = "Kynkäänniemi et al. 2019, Improved Precision and Recall Metric, arXiv 1904.06991"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        generated, everything = checked_features(inputs)
        reference = everything[np.linspace(0, len(everything) - 1, min(len(everything), MAX_REFERENCE)).astype(int)]
        if len(generated) <= 2 * K:
            raise Skipped(f"{len(generated)} generated samples; it needs more than {2 * K}")

        def recall(rows: NDArray[np.bool_]) -> float:
            kept = generated[rows]
            return float(covered(reference, kept, squared_radii(kept)).mean())

        replicates, sizes = leave_one_group_out(recall, inputs.groups)
        return {
            "": Estimate(
                recall(np.ones(len(generated), dtype=bool)),
                Family.JACKKNIFE,
                len(generated),
                replicates=replicates,
                group_sizes=sizes,
                protocol={"k": K, "reference_n": len(reference)},
            )
        }
