"""Features, pairs of images and timings -> measurements, each with its interval and its protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from evalsuite import pairing, plugins
from evalsuite.datasets.contract import Dataset
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
from evalsuite.pipeline.cells import PlannedCell, cells_of
from evalsuite.pipeline.conditions import conditions_of
from evalsuite.pipeline.environment import version_of
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.extract import Features
from evalsuite.pipeline.generate import Samples
from evalsuite.pipeline.plan import adapter_of
from evalsuite.pipeline.values import Valued, extraction_protocol, measurement, values_of
from evalsuite.records import (
    Case,
    Family,
    FeatureSet,
    Interval,
    Measurement,
    Missing,
    Moments,
    Plan,
    Scalar,
    Timings,
)
from evalsuite.slices.contract import Columns, Subset
from evalsuite.store import Store
from evalsuite.suite.schema import Suite

ROOM = "measurements"
_ESTIMATE_ARRAYS = ("per_sample", "replicates", "group_sizes", "influence")

Cells = tuple[list[Measurement], list[Missing]]


def measure(
    suite: Suite,
    plan: Plan,
    samples: Samples,
    features: Features,
    timings: Sequence[Timings],
    untimed: Sequence[Missing],
    *,
    store: Store,
    listener: Listener,
) -> Cells:
    """Every cell of the plan: a measurement for each of the metric's values, or why there is none.

    Raises:
        StoreError: the store cannot take new values.
    """
    cells = list(cells_of(suite, plan.cases))
    listener(Event("stage", "measure", total=len(cells)))
    step = _Measuring(suite, plan, samples, features, timings, untimed, store)
    measurements: list[Measurement] = []
    missing: list[Missing] = []
    for done, cell in enumerate(cells, start=1):
        try:
            found, gaps = step.measure(cell)
        except CellError as error:
            found, gaps = [], cell.missing(error)
        measurements += found
        missing += gaps
        listener(Event("progress", "measure", "", done, len(cells)))
    return measurements, missing


class _Measuring:
    """All that cells are measured from."""

    def __init__(
        self,
        suite: Suite,
        plan: Plan,
        samples: Samples,
        features: Features,
        timings: Sequence[Timings],
        untimed: Sequence[Missing],
        store: Store,
    ) -> None:
        self.suite, self.samples, self.features, self.store = suite, samples, features, store
        self.cases = {case.key: case for case in plan.cases}
        self.timings = {key: tuple(t for t in timings if t.case_key == key) for key in self.cases}
        self.untimed = {gap.identity: gap for gap in untimed}
        self.conditions = conditions_of(suite)

    def measure(self, cell: PlannedCell) -> Cells:
        """The values of one cell.

        Raises:
            CellError: it has none.
        """
        known = [self.untimed[one.identity] for one in cell.missing(Skipped()) if one.identity in self.untimed]
        if known:
            return [], known
        match cell.metric.inputs:
            case Inputs.FEATURES:
                work: _Work = _FeatureWork(self, cell)
            case Inputs.FEATURE_PAIRS:
                work = _FeaturePairWork(self, cell)
            case Inputs.IMAGES:
                work = _ImageWork(self, cell)
            case Inputs.PAIRS:
                work = _PairWork(self, cell)
            case Inputs.TIMINGS:
                work = _TimingWork(self, cell)
        measurements, missing = [], []
        for valued in work.values():
            if valued.estimate is None:
                missing.append(cell.missing_value(valued.value, Skipped(valued.skipped)))
            else:
                measurements.append(work.measurement(valued, valued.estimate))
        return measurements, missing

    @cached_property
    def reference_parts(self) -> dict[str, NDArray[np.int64]]:
        """Positions in the reference by subset slice."""
        spec = self.suite.reference
        if spec is None:
            return {}
        dataset = plugins.find("datasets", spec.dataset).model_validate(spec.settings)
        kinds = [plugins.find("slices", s.kind).model_validate(s.settings) for s in self.suite.slices]
        subsets: list[Subset] = [kind for kind in kinds if kind.kind == "subset"]
        parts: dict[str, NDArray[np.int64]] = {}
        for subset in subsets:
            with suppress(Skipped):  # the reference lacks what samples are told apart by, such as tags of prompts
                parts.update(subset.select(_columns_of(dataset)))
        return parts


def _columns_of(dataset: Dataset) -> Columns:
    """Positions of the reference's images by attribute and value."""
    labels, names = dataset.labels(), dataset.class_names()
    if labels is None:
        return {}
    return pairing.columns_of({"class": [[names[label] if names else str(label)] for label in labels]})


class _Work(ABC):
    """One cell on its way to numbers; a subclass for each kind of inputs."""

    def __init__(self, step: _Measuring, cell: PlannedCell) -> None:
        self.step, self.cell, self.case = step, cell, cell.case
        self.conditions = step.conditions.asked_of(adapter_of(self.case).capabilities())

    @abstractmethod
    def inputs(self) -> Any:
        """What the metric's `compute` gets."""

    @abstractmethod
    def content(self) -> Any:
        """JSON value of everything the inputs depend on, known without computing them; None: do not cache."""

    def protocol(self) -> dict[str, Scalar]:
        """What made the number, besides the estimator's own constants; the same for teacher and student."""
        prompts = self.step.conditions.prompt_set
        return {} if prompts is None else {"prompts_fingerprint": prompts.fingerprint()}

    def sample_ids(self, estimate: Estimate) -> NDArray[np.int64] | None:
        """The samples, or the prompts, whose values went in, where they can be paired with another model's."""
        ids, clusters = self.case.sample_ids, self.clusters
        if clusters is not None and estimate.per_sample is not None:
            ids = np.unique(clusters)
        seeded = adapter_of(self.case).capabilities().seeded
        return ids if seeded and estimate.n == len(ids) else None

    @property
    def clusters(self) -> NDArray[np.int64] | None:
        return self.step.conditions.clusters(self.case.sample_ids)

    def values(self) -> list[Valued]:
        """From the cache, or computed now."""
        content = self.content()
        key = None if content is None else self._key(content)
        kept = None if key is None else self.step.store.read_document(ROOM, key)
        if kept is not None:
            return _unpack(*kept)
        values = values_of(self.cell.spec.metric, self.cell.metric, self.inputs(), self.clusters)
        if key is not None:
            self.step.store.write_document(ROOM, key, *_pack(values))
        return values

    def _key(self, content: Any) -> str:
        spec = self.cell.spec
        versions = {package: version_of(package) for package in ("numpy", "scipy", "scikit-image", "torchmetrics")}
        sources = plugins.sources_hash("metrics", "stats")
        conditions = self.step.conditions.key()
        return content_key([sources, versions, spec.metric, spec.settings, conditions, content])

    def measurement(self, valued: Valued, estimate: Estimate) -> Measurement:
        """The record of one value."""
        return measurement(
            self.cell.fields(valued.value),
            self.cell.metric,
            estimate,
            valued.interval,
            protocol=self.protocol(),
            sample_ids=self.sample_ids(estimate),
        )


class _FeatureWork(_Work):
    """Generated against reference features; a subset slice against the same subset of the reference."""

    def __init__(self, step: _Measuring, cell: PlannedCell) -> None:
        super().__init__(step, cell)
        metric = cast(Any, cell.metric)
        step.samples.of(self.case)
        self.generated = step.features.of(metric.extractor, self.case.parent or self.case.key)
        self.reference = step.features.of_reference(metric.extractor) if _uses_reference(metric) else None
        reads_texts = getattr(metric, "reads_texts", False) and self.conditions.kind == "text"
        self.texts = step.features.of_prompts(metric.extractor) if reads_texts else None

    def inputs(self) -> FeatureInputs:
        ids = self.case.sample_ids
        asked = self.conditions.numbers(ids)
        texts = None if self.texts is None or asked is None else self.texts.select(asked)
        groups = self.step.conditions.groups(ids)
        return FeatureInputs(
            self._part(self.generated), self._reference_part(), groups, self.case.parent is None, asked, texts
        )

    def content(self) -> Any:
        generated = self.generated
        subset = None if self.case.parent is None else self.case.slice
        ids = content_key(self.case.sample_ids.tolist())
        return [
            generated.source,
            generated.fingerprint,
            None if self.reference is None else self.reference.source,
            subset,
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
        rows = self.step.reference_parts.get(self.case.slice)
        if rows is None:
            raise Skipped(f"the reference has no images of the slice {self.case.slice}")
        return self.reference.select(rows)


def _uses_reference(metric: Metric) -> bool:
    return bool(getattr(metric, "uses_reference", True))


class _ImageWork(_Work):
    """Generated images by themselves, with what was asked for."""

    def __init__(self, step: _Measuring, cell: PlannedCell) -> None:
        super().__init__(step, cell)
        self.samples = step.samples.of(self.case)

    def inputs(self) -> ImageInputs:
        ids = self.case.sample_ids
        return ImageInputs(ids, self.samples.images(ids), self.conditions.labels(ids), self.conditions.texts(ids))

    def content(self) -> Any:
        return [self.samples.content, content_key(self.case.sample_ids.tolist()), self.conditions.kind]

    def protocol(self) -> dict[str, Scalar]:
        return {**super().protocol(), "quantisation": "uint8", "n": len(self.case.sample_ids)}


class _TeacherWork(_Work):
    """A student's samples against the teacher's of the same seeds."""

    def __init__(self, step: _Measuring, cell: PlannedCell) -> None:
        super().__init__(step, cell)
        self.mine = step.samples.of(self.case)
        teacher = step.cases.get(cell.against)
        if teacher is None:
            raise Skipped(f"there are no samples of {cell.against} to compare with")
        self.teacher: Case = teacher
        try:
            self.theirs = step.samples.of(teacher)
        except CellError as error:
            raise type(error)(f"the teacher has no samples: {error}") from error
        if not all(adapter_of(case).capabilities().seeded for case in (self.case, teacher)):
            raise Skipped("images of models without seeds do not belong together in pairs")

    def content(self) -> Any:
        return [self.mine.content, self.theirs.content, content_key(self.case.sample_ids.tolist())]

    def protocol(self) -> dict[str, Scalar]:
        teacher = content_key(
            [self.teacher.adapter, adapter_of(self.teacher).fingerprint(), self.step.suite.sampling.seed]
        )
        n = len(self.case.sample_ids)
        return {**super().protocol(), "quantisation": "uint8", "against_fingerprint": teacher, "n": n}


class _PairWork(_TeacherWork):
    """Pairs of images."""

    def inputs(self) -> PairInputs:
        ids = self.case.sample_ids
        return PairInputs(ids, self.mine.images(ids), self.theirs.images(ids))


class _FeaturePairWork(_TeacherWork):
    """Features of the images of each pair."""

    def __init__(self, step: _Measuring, cell: PlannedCell) -> None:
        super().__init__(step, cell)
        extractor = cast(Any, cell.metric).extractor
        self.mine_features, self.their_features = (
            step.features.of(extractor, case.parent or case.key) for case in (self.case, self.teacher)
        )

    def inputs(self) -> FeaturePairInputs:
        ids = self.case.sample_ids
        return FeaturePairInputs(_of_samples(self.mine_features, ids), _of_samples(self.their_features, ids))

    def content(self) -> Any:
        return [super().content(), self.mine_features.fingerprint]

    def protocol(self) -> dict[str, Scalar]:
        return super().protocol() | extraction_protocol(self.mine_features)


def _of_samples(features: FeatureSet, sample_ids: NDArray[np.int64]) -> FeatureSet:
    return features.select(np.searchsorted(features.sample_ids, sample_ids).astype(np.int64))


class _TimingWork(_Work):
    """Raw timings; their values follow in no time, so they are not cached again."""

    def __init__(self, step: _Measuring, cell: PlannedCell) -> None:
        super().__init__(step, cell)
        step.samples.of(self.case)

    def inputs(self) -> TimingInputs:
        return TimingInputs(self.step.timings[self.case.key])

    def content(self) -> Any:
        return None

    def sample_ids(self, estimate: Estimate) -> None:
        return None


# --- how values are kept in the store ------------------------------------------------------------------------------


def _pack(values: Sequence[Valued]) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    documents: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for position, valued in enumerate(values):
        document: dict[str, Any] = {"value": valued.value, "skipped": valued.skipped}
        estimate = valued.estimate
        if estimate is not None:
            document["estimate"] = {
                "value": float(estimate.value),
                "family": str(estimate.family),
                "n": int(estimate.n),
                "protocol": dict(estimate.protocol),
                "warning": estimate.warning,
                "invalid": estimate.invalid,
            }
            document["interval"] = None if valued.interval is None else valued.interval.model_dump()
            found = {name: getattr(estimate, name) for name in _ESTIMATE_ARRAYS}
            arrays |= {f"{position}/{name}": array for name, array in found.items() if array is not None}
        documents.append(document)
    return documents, arrays


def _unpack(documents: Sequence[dict[str, Any]], arrays: Mapping[str, NDArray[Any]]) -> list[Valued]:
    values = []
    for position, document in enumerate(documents):
        fields = document.get("estimate")
        if fields is None:
            values.append(Valued(document["value"], None, None, document["skipped"]))
            continue
        kept = {name: arrays.get(f"{position}/{name}") for name in _ESTIMATE_ARRAYS}
        estimate = Estimate(**{**fields, "family": Family(fields["family"]), **kept})
        interval = None if document["interval"] is None else Interval(**document["interval"])
        values.append(Valued(document["value"], estimate, interval))
    return values
