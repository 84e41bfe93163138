"""Metric ``class_accuracy``: how often the classifier sees the class that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.contract import Estimate, FeatureInputs, Inputs
from evalsuite.records import Family
from evalsuite.settings import Settings


class ClassAccuracy(Settings):
    """Share of samples whose largest logit is that of the label asked for; [0, 1], higher is better.

    It measures obedience, not quality: blurry and stereotyped images score higher than real ones.

    Attributes:
        extractor: whose classifier.
    """

    extractor: str = "fashion-cnn"

    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool | None] = True
    inputs: ClassVar[Inputs] = Inputs.FEATURES
    paper: ClassVar[str] = "Ravuri and Vinyals 2019, Classification Accuracy Score, arXiv 1905.10887 (a simpler relative)"

    def compute(self, inputs: FeatureInputs) -> Mapping[str, Estimate | str]:
        logits, labels = inputs.generated.logits, inputs.generated.labels
        if logits is None:
            raise Skipped(f"extractor {self.extractor} classifies nothing; choose one that has logits")
        if labels is None:
            raise Skipped("the samples were asked for without a class")
        if not np.isfinite(logits).all():
            raise Failed("the classifier's logits are not finite")
        right = (logits.argmax(axis=1) == labels).astype(np.float64)
        return {"": Estimate(float(right.mean()), Family.PROPORTION, len(right), per_sample=right)}
