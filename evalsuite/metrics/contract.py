"""What a metric is: a pure function from features, pairs of images, or timings to estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import Family, FeatureSet, Moments, Scalar, TextFeatures, Timings


class Inputs(StrEnum):
    """What a metric reads, and which class its ``compute`` gets."""

    FEATURES = "features"
    FEATURE_PAIRS = "feature_pairs"
    IMAGES = "images"
    PAIRS = "pairs"
    TIMINGS = "timings"

    @property
    def of_features(self) -> bool:
        """Whether images pass an extractor first."""
        return self in (Inputs.FEATURES, Inputs.FEATURE_PAIRS)

    @property
    def of_pairs(self) -> bool:
        """Whether a sample is compared with the teacher's of the same seed."""
        return self in (Inputs.FEATURE_PAIRS, Inputs.PAIRS)


@dataclass(frozen=True)
class FeatureInputs:
    """Generated against reference features, by the same extractor.

    Attributes:
        generated: the features.
        reference: the features, or only their moments; of the slice's part where the slice is a subset.
        groups: int64 ``[N]`` in [0, 20): jackknife group of each generated sample.
        whole: whether the slice is ``all``; small slices are refused where the whole set gets a value that is INVALID.
        asked: int64 ``[N]``, which class or prompt each sample was made for; None for unconditional samples.
        texts: embeddings of the prompts, row by row as ``generated``; None without prompts, and for metrics that do not
            ask for them.
    """

    generated: FeatureSet
    reference: FeatureSet | Moments
    groups: NDArray[np.int64]
    whole: bool = True
    asked: NDArray[np.int64] | None = None
    texts: TextFeatures | None = None


@dataclass(frozen=True)
class FeaturePairInputs:
    """Features of the same samples by two models, or of output and ground truth, by the same extractor; equal rows
    belong together."""

    a: FeatureSet
    b: FeatureSet


@dataclass(frozen=True)
class ImageInputs:
    """Generated samples as they are, and what was asked for: for models that judge an image beside its prompt.

    Attributes:
        sample_ids: int64 ``[N]``.
        images: uint8 ``[N, C, H, W]``; may be memory-mapped.
        labels: int64 ``[N]``, or None without classes.
        prompts: one text a sample, or None without prompts.
        started_from: int64 ``[N]``, which input image each sample started from; None for samples of noise alone.
    """

    sample_ids: NDArray[np.int64]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None = None
    prompts: Sequence[str] | None = None
    started_from: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class PairInputs:
    """The same samples by two models, or output and ground truth.

    Attributes:
        sample_ids: int64 ``[N]``.
        a, b: uint8 ``[N, C, H, W]``; may be memory-mapped.
    """

    sample_ids: NDArray[np.int64]
    a: NDArray[np.uint8]
    b: NDArray[np.uint8]


@dataclass(frozen=True)
class TimingInputs:
    """What was measured of one case.

    Attributes:
        timings: of all scenarios and series.
        price_per_hour: of the target, in USD; None where it has no price.
    """

    timings: tuple[Timings, ...]
    price_per_hour: float | None = None

    def of(self, scenario: str, series: str = "") -> Timings | None:
        """Those of one series of a scenario; None where there are none."""
        return next((t for t in self.timings if (t.scenario, t.series) == (scenario, series)), None)


@dataclass(frozen=True)
class Estimate:
    """A value and what its interval follows from; see :class:`evalsuite.records.Measurement` for the arrays.

    Attributes:
        family: which statistics hold.
        n: values that went in.
        protocol: the estimator's constants, such as ``{"k": 5}``.
        warning: a caveat, or "".
        invalid: which rule of the protocol was broken, so that nothing may be decided on it; or "".
        unit, higher_is_better: where they differ from the metric's (latency_p50 and throughput from one metric).
    """

    value: float
    family: Family
    n: int
    per_sample: NDArray[np.float64] | None = None
    replicates: NDArray[np.float64] | None = None
    group_sizes: NDArray[np.int64] | None = None
    influence: NDArray[np.float32] | None = None
    protocol: Mapping[str, Scalar] = field(default_factory=dict)
    warning: str = ""
    invalid: str = ""


class Metric(Protocol):
    """A metric with its settings; a class derived from :class:`evalsuite.settings.Settings`.

    Attributes:
        unit: "" where it has none.
        higher_is_better: direction.
        inputs: what ``compute`` gets.
        paper: the reference, one line.
        samples_per_dimension: for metrics of features, how many samples for each of them a decision needs; optional.
        extractor: a settings field (default ``fashion-cnn``), for FEATURES and FEATURE_PAIRS only.
        uses_reference, reads_texts: for FEATURES; see :class:`evalsuite.metrics._features.FeatureMetric`.
    """

    unit: ClassVar[str]
    higher_is_better: ClassVar[bool | None]
    inputs: ClassVar[Inputs]
    paper: ClassVar[str]

    def compute(self, inputs: Any) -> Mapping[str, Estimate | str]:
        """Estimates by label suffix: ``{"": estimate}`` for one value under the metric's own name, or
        ``{"p50": ..., "p90": ...}`` which become ``latency_p50``, ``latency_p90``. A text in place of an
        estimate is the reason why that value is skipped.

        Raises:
            Skipped: the metric makes no sense on this input (too few samples); the message names the n it needs.
        """
        ...


class TimingMetric(Metric, Protocol):
    """A metric of TIMINGS, which says what has to be measured.

    One that yields several values also has a property ``values: tuple[str, ...]``, their label suffixes, and
    ``optional_values`` for those that not every model has: gates may name them, and nobody misses them. One whose
    values are compared by their difference, as shares are, says ``as_ratio: ClassVar[bool] = False``.
    """

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that it reads, with their settings: ``single_stream``, ``server:rate=20``."""
        ...
