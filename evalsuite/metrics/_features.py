"""What all metrics of features share: the extractor setting, and checks at the door."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.contract import FeatureInputs, Inputs
from evalsuite.records import FeatureSet
from evalsuite.settings import Settings

Floats = NDArray[np.float64]


class FeatureMetric(Settings):
    """Base of metrics that read features.

    Attributes:
        extractor: name of the feature extractor.
    """

    inputs: ClassVar[Inputs] = Inputs.FEATURES

    extractor: str = "fashion-cnn"


def features_of(inputs: FeatureInputs) -> tuple[Floats, Floats]:
    """Generated and reference features, float64 ``[N, D]`` and ``[M, D]``.

    Raises:
        Failed: a feature is NaN or infinite.
    """
    return _finite(inputs.generated, "generated"), _finite(inputs.reference, "reference")


def _finite(features: FeatureSet, whose: str) -> Floats:
    bad = int((~np.isfinite(features.features)).any(axis=1).sum())
    if bad:
        raise Failed(
            f"{features.extractor} gives NaN or infinite features for {bad} of {len(features.features)} {whose} "
            f"images; look at those images, or choose another extractor"
        )
    return features.features.astype(np.float64)


def logits_of(features: FeatureSet) -> Floats:
    """Logits float64 ``[N, K]``.

    Raises:
        Skipped: the extractor classifies nothing.
        Failed: a logit is NaN or infinite.
    """
    if features.logits is None:
        raise Skipped(f"the extractor {features.extractor} gives no class scores; choose one that classifies")
    if not np.isfinite(features.logits).all():
        raise Failed(f"{features.extractor} gives NaN or infinite class scores")
    return features.logits.astype(np.float64)


def require(found: int, needed: int, what: str) -> None:
    """Skip where there are fewer samples than the metric can work with.

    Raises:
        Skipped: names both numbers.
    """
    if found < needed:
        raise Skipped(f"needs at least {needed} {what}, has {found}")
