"""What a metric reads of a cell: features, pairs of images or timings, and all that decides them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import CellError, Skipped
from evalsuite.files import content_key
from evalsuite.metrics.contract import (
    Estimate,
    FeatureInputs,
    FeaturePairInputs,
    ImageInputs,
    Inputs,
    Metric,
    PairInputs,
    TimingInputs,
)
from evalsuite.pipeline.cells import GROUND_TRUTH, PlannedCell
from evalsuite.pipeline.conditions import columns_of_dataset, conditions_of
from evalsuite.pipeline.extract import Features
from evalsuite.pipeline.generate import Samples
from evalsuite.pipeline.plan import adapter_of, target_of
from evalsuite.pipeline.slicing import Parts, parts_of
from evalsuite.pipeline.values import extraction_protocol
from evalsuite.records import Case, FeatureSet, Moments, Plan, Scalar, Timings
from evalsuite.suite.schema import Suite


class Found:
    """All that earlier stages of a run made."""

    def __init__(
        self,
        suite: Suite,
        plan: Plan,
        samples: Samples,
        features: Features,
        timings: Sequence[Timings],
        derived_parts: Parts,
    ) -> None:
        self.suite, self.samples, self.features = suite, samples, features
        self.cases = {case.key: case for case in plan.cases}
        self.timings = {key: tuple(t for t in timings if t.case_key == key) for key in self.cases}
        self.conditions, self.derived_parts = conditions_of(suite), derived_parts

    @cached_property
    def reference_parts(self) -> Parts:
        """Positions in the reference by subset slice."""
        spec = self.suite.reference
        if spec is None:
            return {}
        dataset = plugins.find("datasets", spec.dataset).model_validate(spec.settings)
        return {**parts_of(self.suite, columns_of_dataset(dataset)), **self.derived_parts}


class Reading(ABC):
    """What the metric of one cell reads; a subclass for each kind of inputs.

    Raises:
        CellError: there is nothing to read.
    """

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        self.found, self.cell, self.case = found, cell, cell.case
        self.conditions = found.conditions.asked_of(adapter_of(self.case).capabilities())

    @abstractmethod
    def inputs(self) -> Any:
        """What the metric's `compute` gets."""

    @abstractmethod
    def content(self) -> Any:
        """JSON value of everything the inputs depend on, known without computing them; None: do not cache."""

    def protocol(self) -> dict[str, Scalar]:
        """What made the number, besides the estimator's own constants; the same for teacher and student."""
        shared = self.case.noise.shared
        return self.found.conditions.protocol() | ({"shared_noise": shared} if shared > 1 else {})

    def sample_ids(self, estimate: Estimate) -> NDArray[np.int64] | None:
        """The samples, or the prompts, whose values went in, where they can be paired with another model's."""
        ids, clusters = self.case.sample_ids, self.clusters
        if clusters is not None and estimate.per_sample is not None:
            ids = np.unique(clusters)
        seeded = adapter_of(self.case).capabilities().seeded
        return ids if seeded and estimate.n == len(ids) else None

    @property
    def clusters(self) -> NDArray[np.int64] | None:
        """Equal for samples that are not independent, int64 ``[N]``; None where all are.

        Raises:
            Skipped: they cannot be told.
        """
        return self.found.conditions.clusters(self.case.sample_ids, self.case.noise.shared)


def reading_of(found: Found, cell: PlannedCell) -> Reading:
    """What the cell's metric reads.

    Raises:
        CellError: there is nothing to read.
    """
    kinds: dict[Inputs, type[Reading]] = {
        Inputs.FEATURES: _Features,
        Inputs.FEATURE_PAIRS: _FeaturePairs,
        Inputs.IMAGES: _Images,
        Inputs.PAIRS: _Pairs,
        Inputs.TIMINGS: _Timings,
    }
    return kinds[cell.metric.inputs](found, cell)


class _Features(Reading):
    """Generated against reference features; a subset slice against the same subset of the reference."""

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        super().__init__(found, cell)
        metric = cast(Any, cell.metric)
        found.samples.of(self.case)
        self.generated = found.features.of(metric.extractor, self.case.parent or self.case.key)
        self.reference = found.features.of_reference(metric.extractor) if _uses_reference(metric) else None
        reads_texts = getattr(metric, "reads_texts", False) and self.conditions.prompt_set is not None
        self.texts = found.features.of_prompts(metric.extractor) if reads_texts else None

    def inputs(self) -> FeatureInputs:
        ids = self.case.sample_ids
        asked = self.conditions.numbers(ids)
        texts = None if self.texts is None or asked is None else self.texts.select(asked)
        groups = self.found.conditions.groups(ids, self.case.noise.shared)
        return FeatureInputs(
            self._part(self.generated), self._reference_part(), groups, self.case.parent is None, asked, texts
        )

    def content(self) -> Any:
        generated = self.generated
        ids = content_key(self.case.sample_ids.tolist())
        return [
            generated.source,
            generated.fingerprint,
            None if self.reference is None else self.reference.source,
            self.case.part,
            ids,
            self.conditions.kind,
        ]

    def protocol(self) -> dict[str, Scalar]:
        against = {} if self.reference is None else {"reference_fingerprint": self.reference.source}
        return {
            **super().protocol(),
            **extraction_protocol(self.generated),
            **against,
            "quantisation": "uint8",
            "n": len(self.case.sample_ids),
        }

    def _part(self, whole: FeatureSet) -> FeatureSet:
        return whole if self.case.parent is None else _of_samples(whole, self.case.sample_ids)

    def _reference_part(self) -> FeatureSet | Moments:
        if self.reference is None:
            return self.generated.select(np.empty(0, np.int64))
        if self.case.parent is None:
            return self.reference
        if isinstance(self.reference, Moments):
            raise Skipped("of the reference there are only mean and covariance, not those of its slices")
        rows = self.found.reference_parts.get(self.case.part)
        if rows is None:
            raise Skipped(f"the reference has no images of the slice {self.case.part}")
        return self.reference.select(rows)


def _uses_reference(metric: Metric) -> bool:
    return bool(getattr(metric, "uses_reference", True))


class _Images(Reading):
    """Generated images by themselves, with what was asked for."""

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        super().__init__(found, cell)
        self.samples = found.samples.of(self.case)

    def inputs(self) -> ImageInputs:
        ids, asked = self.case.sample_ids, self.conditions
        started_from = None if asked.inputs is None else asked.numbers(ids)
        return ImageInputs(ids, self.samples.images(ids), asked.classes(ids), asked.texts(ids), started_from)

    def content(self) -> Any:
        return [self.samples.content, content_key(self.case.sample_ids.tolist()), self.conditions.kind]

    def protocol(self) -> dict[str, Scalar]:
        return {**super().protocol(), "quantisation": "uint8", "n": len(self.case.sample_ids)}


class _OtherSide(ABC):
    """What samples are compared with, one by one."""

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        self.found, self.case = found, cell.case

    @abstractmethod
    def images(self) -> NDArray[np.uint8]:
        """uint8 ``[N, C, H, W]``, row by row as the case's samples."""

    @abstractmethod
    def features(self, extractor: str) -> FeatureSet:
        """Features of these images."""

    @abstractmethod
    def content(self) -> Any:
        """JSON value of everything that decides them."""

    @abstractmethod
    def fingerprint(self) -> str:
        """What numbers must share to be compared."""


class _Teacher(_OtherSide):
    """The teacher's samples of the same seeds, on the same slice."""

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        super().__init__(found, cell)
        teacher = found.cases.get(cell.against)
        if teacher is None:
            raise Skipped(f"there are no samples of {cell.against} to compare with")
        self.teacher: Case = teacher
        try:
            self.samples = found.samples.of(teacher)
        except CellError as error:
            raise type(error)(f"the teacher has no samples: {error}") from error
        if not all(adapter_of(case).capabilities().seeded for case in (self.case, teacher)):
            raise Skipped("images of models without seeds do not belong together in pairs")

    def images(self) -> NDArray[np.uint8]:
        return self.samples.images(self.case.sample_ids)

    def features(self, extractor: str) -> FeatureSet:
        whole = self.found.features.of(extractor, self.teacher.parent or self.teacher.key)
        return _of_samples(whole, self.case.sample_ids)

    def content(self) -> Any:
        return self.samples.content

    def fingerprint(self) -> str:
        seed = self.found.suite.sampling.seed
        return content_key([self.teacher.adapter, adapter_of(self.teacher).fingerprint(), seed])


class _Truth(_OtherSide):
    """The images that the inputs were made from; a slice that changes the inputs does not change these."""

    def images(self) -> NDArray[np.uint8]:
        return self.found.conditions.truth(self.case.sample_ids)

    def features(self, extractor: str) -> FeatureSet:
        whole = self.found.features.of(extractor, GROUND_TRUTH)
        rows = self.found.conditions.numbers(self.case.sample_ids)
        assert rows is not None, "samples that have a ground truth start from images"
        return whole.select(rows)

    def content(self) -> Any:
        return self.fingerprint()

    def fingerprint(self) -> str:
        return content_key([GROUND_TRUTH, self.found.conditions.protocol()])


class _Pairs(Reading):
    """Pairs of images: each sample and what it is compared with."""

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        super().__init__(found, cell)
        self.samples = found.samples.of(self.case)
        self.other = _Truth(found, cell) if cell.against == GROUND_TRUTH else _Teacher(found, cell)

    def inputs(self) -> PairInputs | FeaturePairInputs:
        ids = self.case.sample_ids
        return PairInputs(ids, self.samples.images(ids), self.other.images())

    def content(self) -> Any:
        return [self.samples.content, self.other.content(), content_key(self.case.sample_ids.tolist())]

    def protocol(self) -> dict[str, Scalar]:
        n = len(self.case.sample_ids)
        return {
            **super().protocol(),
            "quantisation": "uint8",
            "against_fingerprint": self.other.fingerprint(),
            "n": n,
        }


class _FeaturePairs(_Pairs):
    """Features of the images of each pair."""

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        super().__init__(found, cell)
        extractor = cast(Any, cell.metric).extractor
        whole = found.features.of(extractor, self.case.parent or self.case.key)
        self.mine, self.others = _of_samples(whole, self.case.sample_ids), self.other.features(extractor)

    def inputs(self) -> FeaturePairInputs:
        return FeaturePairInputs(self.mine, self.others)

    def content(self) -> Any:
        return [super().content(), self.mine.fingerprint]

    def protocol(self) -> dict[str, Scalar]:
        return super().protocol() | extraction_protocol(self.mine)


def _of_samples(features: FeatureSet, sample_ids: NDArray[np.int64]) -> FeatureSet:
    return features.select(np.searchsorted(features.sample_ids, sample_ids).astype(np.int64))


class _Timings(Reading):
    """Raw timings; their values follow in no time, so they are not cached again."""

    def __init__(self, found: Found, cell: PlannedCell) -> None:
        super().__init__(found, cell)
        if (error := found.samples.errors.get(self.case.key)) is not None:
            raise error

    def inputs(self) -> TimingInputs:
        price_per_hour = target_of(self.found.suite, self.case.target).price_per_hour
        return TimingInputs(self.found.timings[self.case.key], price_per_hour)

    def content(self) -> Any:
        return None

    def sample_ids(self, estimate: Estimate) -> NDArray[np.int64] | None:
        """Rounds, which all models of a target have in turn, where values of theirs are averaged."""
        return None if estimate.per_sample is None else np.arange(estimate.n)

    @property
    def clusters(self) -> None:
        """Rounds hang together with nothing."""
        return None
