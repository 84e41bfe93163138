"""Class accuracy: how often a classifier sees the class that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Skipped
from evalsuite.metrics._features import FeatureMetric, logits_of, require
from evalsuite.metrics.contract import Estimate, FeatureInputs
from evalsuite.records import Family


class ClassAccuracy(FeatureMetric):
    """Share of samples that the extractor's classifier gives the class they were asked for; 0 to 1.

    A measure of obedience, not of quality: blurred or exaggerated samples can score above real images.
    """

    uses_reference: ClassVar[bool] = False
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    paper: ClassVar[str] = "Ravuri and Vinyals 2019, Classification Accuracy Score (arXiv:1905.10887), after its idea"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        """One value; ``per_sample`` is 0 or 1.

        Raises:
            Skipped: no samples, they have no classes, or the extractor classifies nothing.
            Failed: a class score is NaN or infinite.
        """
        logits, labels = logits_of(inputs.generated), inputs.generated.labels
        if labels is None:
            raise Skipped("the samples were asked for without a class")
        require(len(logits), 1, "generated samples")
        right = (logits.argmax(axis=1) == labels).astype(np.float64)
        return {
            "": Estimate(
                value=float(right.mean()),
                family=Family.PROPORTION,
                n=len(right),
                per_sample=right,
                protocol={"estimator": "top-1", "num_classes": logits.shape[1]},
            )
        }
