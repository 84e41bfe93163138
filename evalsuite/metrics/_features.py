"""What all metrics of features share: the extractor setting, and checks at the door."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.contract import FeatureInputs, Inputs
from evalsuite.records import FeatureSet, Moments
from evalsuite.settings import Settings

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


class FeatureMetric(Settings):
    """Base of metrics that read features.

    Attributes:
        uses_reference: whether generated samples are compared with the reference; where not, there need be none.
        reads_texts: whether the prompts' embeddings are wanted, which only some extractors give.
        extractor: name of the feature extractor.
    """

    inputs: ClassVar[Inputs] = Inputs.FEATURES
    uses_reference: ClassVar[bool] = True
    reads_texts: ClassVar[bool] = False

    extractor: str = "fashion-cnn"


def features_of(inputs: FeatureInputs) -> tuple[Floats, Floats]:
    """Generated and reference features, float64 ``[N, D]`` and ``[M, D]``.

    Raises:
        Skipped, Failed: as ``features32_of``.
    """
    generated, reference = features32_of(inputs)
    return generated.astype(np.float64), reference.astype(np.float64)


def features32_of(inputs: FeatureInputs) -> tuple[Floats32, Floats32]:
    """Generated and reference features as they are, float32 ``[N, D]`` and ``[M, D]``.

    Raises:
        Skipped: of the reference there are only moments.
        Failed: a feature is NaN or infinite, or the two sides differ in their dimension.
    """
    if isinstance(inputs.reference, Moments):
        raise Skipped("needs the features of the reference, and there are only their mean and covariance")
    dims = [side.features.shape[1] for side in (inputs.generated, inputs.reference)]
    if dims[0] != dims[1]:
        raise Failed(f"generated features have {dims[0]} dimensions and those of the reference {dims[1]}")
    require_finite(inputs.generated, "generated")
    require_finite(inputs.reference, "reference")
    return inputs.generated.features, inputs.reference.features


def finite(features: FeatureSet, whose: str) -> Floats:
    """One side's features, float64 ``[N, D]``.

    Raises:
        Failed: a feature is NaN or infinite.
    """
    require_finite(features, whose)
    return features.features.astype(np.float64)


def require_finite(features: FeatureSet, whose: str) -> None:
    """Fail where a feature is NaN or infinite.

    Raises:
        Failed: names the number of images.
    """
    bad = int((~np.isfinite(features.features)).any(axis=1).sum())
    if bad:
        raise Failed(
            f"{features.extractor} gives NaN or infinite features for {bad} of {len(features.features)} {whose} "
            f"images; look at those images, or choose another extractor"
        )


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
