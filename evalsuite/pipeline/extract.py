"""Samples and reference -> features: each image passes each extractor once, for all metrics that want it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.datasets.contract import Dataset, GroundTruth, SavedMoments
from evalsuite.errors import CellError, EvalsuiteError, Failed, Skipped
from evalsuite.executors.contract import Executor, Progress, Task
from evalsuite.features.contract import Extracted, Extractor
from evalsuite.files import content_key
from evalsuite.pipeline.cells import GROUND_TRUTH, metric_of
from evalsuite.pipeline.conditions import NO_TRUTH, Conditions, conditions_of
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.generate import Samples
from evalsuite.pipeline.networks import Passes, opened, passes_of
from evalsuite.pipeline.plan import adapter_of
from evalsuite.pipeline.samples import SampleSet, Span, read_images, spans
from evalsuite.pipeline.slicing import derived_of
from evalsuite.pipeline.texts import embed
from evalsuite.records import Case, FeatureSet, Moments, Plan, TextFeatures
from evalsuite.store import Store
from evalsuite.suite.schema import ReferenceSpec, Suite

ROOM = "features"
REFERENCE = "reference"
REFERENCE_CHUNK = 512

Report = Callable[[int, int], None]


def features_key(fingerprint: str, images: str) -> str:
    """Where the features of some images are kept: by the extractor's weights and by its code, which may change too."""
    return f"{content_key([fingerprint, plugins.sources_hash('features')])}/{images}"


@dataclass(frozen=True)
class Source:
    """Images of one chunk: generated (a key in the store), or a span of the reference or the ground truth. Picklable.

    Attributes:
        features_keys: where the features by each extractor of a pass belong.
    """

    owner: str
    images: str | Span
    features_keys: tuple[str, ...]

    def whole(self, store: Store) -> bool:
        """Whether the store has all of these features."""
        return all(store.digest(ROOM, key) is not None for key in self.features_keys)


@dataclass(frozen=True)
class Order:
    """What one child process extracts, in one pass over the images. Picklable.

    Attributes:
        conditions: where the ground truth is.
    """

    store: Store
    extractors: tuple[str, ...]
    reference: ReferenceSpec | None
    conditions: Conditions
    sources: tuple[Source, ...]


@dataclass
class Features:
    """What extraction ended with, by extractor and by the key of the generating case (or ``reference``, or
    ``ground_truth``, whose rows are those of the inputs).

    Attributes:
        moments: in place of the reference's features, where only a statistics file is there.
        texts: embeddings of all prompts.
    """

    sets: dict[tuple[str, str], FeatureSet] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)
    texts: dict[str, TextFeatures | CellError] = field(default_factory=dict)
    errors: dict[tuple[str, str], CellError] = field(default_factory=dict)

    def of(self, extractor: str, owner: str) -> FeatureSet:
        """The features of a generating case.

        Raises:
            CellError: there are none.
        """
        error = self.errors.get((extractor, "")) or self.errors.get((extractor, owner))
        if error is not None:
            raise error
        return self.sets[extractor, owner]

    def of_reference(self, extractor: str) -> FeatureSet | Moments:
        """The features of the reference, or their mean and covariance where nothing else was saved.

        Raises:
            CellError: there are none.
        """
        return self.moments.get(extractor) or self.of(extractor, REFERENCE)

    def of_prompts(self, extractor: str) -> TextFeatures:
        """The embeddings of all prompts.

        Raises:
            CellError: there are none.
        """
        found = self.texts[extractor]
        if isinstance(found, CellError):
            raise found
        return found


def extract(
    suite: Suite,
    plan: Plan,
    samples: Samples,
    *,
    executor: Executor,
    store: Store,
    listener: Listener,
    timeout_s: float,
) -> Features:
    """Features of all samples and of the reference, by every extractor that a metric of the suite names.

    Raises:
        StoreError: the store cannot take new features.
    """
    names = _extractors(suite)
    listener(Event("stage", "extract", total=len(names)))
    features = Features()
    step = _Extraction(suite, plan, samples, store, features)
    orders = {}
    for name in names:
        try:
            step.add(name)
        except CellError as error:
            features.errors[name, ""] = error
    for together in passes_of(step.extractors):
        missing = tuple(source for source in step.sources(together) if not source.whole(store))
        if missing:
            orders[" + ".join(together)] = Order(store, together, suite.reference, step.conditions, missing)
        else:
            listener(Event("cached", "extract", " + ".join(together)))
    if orders:
        store.require_writable()
        _work_off(orders, executor, listener, timeout_s, features)
    for name in step.extractors:
        step.collect(name)
    prompts = step.conditions.prompt_set
    if prompts is not None:
        processes: dict[str, Any] = {"executor": executor, "store": store, "listener": listener, "timeout_s": timeout_s}
        features.texts = embed(_extractors(suite, of_texts=True), prompts, **processes)
    return features


def unavailable_extractors(suite: Suite) -> list[str]:
    """Why extractors that the suite names cannot be used on this machine; none where all can."""
    reasons = []
    for name in _extractors(suite):
        try:
            plugins.make("features", name).fingerprint()
        except CellError as error:
            reasons.append(f"{name}: {error}")
    return reasons


def _extractors(suite: Suite, of_texts: bool = False) -> list[str]:
    """The union over all metrics and derived slices, or over metrics that read texts, in the order of the suite."""
    metrics = (metric_of(spec) for spec in suite.metrics)
    named: Iterable[Any] = (metric for metric in metrics if metric.inputs.of_features)
    wanted = (metric for metric in named if not of_texts or getattr(metric, "reads_texts", False))
    derived = [] if of_texts else [kind.extractor for _, kind in derived_of(suite)]
    return list(dict.fromkeys([*(metric.extractor for metric in wanted), *derived]))


def _work_off(
    orders: dict[str, Order], executor: Executor, listener: Listener, timeout_s: float, features: Features
) -> None:
    tasks = [Task(name, extract_missing, (order,), timeout_s) for name, order in orders.items()]
    with closing(executor.map(tasks)) as news_of_tasks:
        for news in news_of_tasks:
            if isinstance(news, Progress):
                listener(Event("progress", "extract", news.key, news.done, news.total))
            elif isinstance(news.error, CellError):
                features.errors.update(dict.fromkeys(((name, "") for name in orders[news.key].extractors), news.error))
                listener(Event("missing", "extract", news.key, message=str(news.error)))
            elif news.error is not None:
                raise news.error
            else:
                for name in orders[news.key].extractors:
                    features.errors.update({(name, owner): error for owner, error in news.value.items()})


def _dataset_of(spec: ReferenceSpec | None) -> Dataset | None:
    if spec is None:
        return None
    dataset: Dataset = plugins.find("datasets", spec.dataset).model_validate(spec.settings)
    return dataset


class _Extraction:
    """Which chunks of images there are, and the feature sets made of them."""

    def __init__(self, suite: Suite, plan: Plan, samples: Samples, store: Store, features: Features) -> None:
        self.suite, self.samples, self.store, self.features = suite, samples, store, features
        self.cases = {case.key: case for case in plan.cases if case.key in samples.sets}
        self.conditions = conditions_of(suite)
        self.dataset = _dataset_of(suite.reference)
        asked = any(spec.against == GROUND_TRUTH and metric_of(spec).inputs.of_features for spec in suite.metrics)
        self.has_truth = asked and isinstance(self.conditions.inputs, GroundTruth)
        self.extractors: dict[str, Extractor] = {}
        self.fingerprints: dict[str, str] = {}

    def add(self, name: str) -> None:
        """Take in an extractor.

        Raises:
            Unavailable: its weights or a package are missing.
        """
        extractor: Extractor = plugins.make("features", name)
        self.fingerprints[name] = extractor.fingerprint()
        self.extractors[name] = extractor

    def sources(self, names: Sequence[str]) -> list[Source]:
        """All images, reference first, with where their features by these extractors belong."""
        generated = [source for key in self.cases for source in self._generated(key, names)]
        return self._reference(names) + self._truth(names) + generated

    def _generated(self, case_key: str, names: Sequence[str]) -> list[Source]:
        chunks = self.samples.sets[case_key].chunks
        return [Source(case_key, chunk.key, self._keys(names, chunk.digest)) for chunk in chunks]

    def _reference(self, names: Sequence[str]) -> list[Source]:
        if self.dataset is None or isinstance(self.dataset, SavedMoments):
            return []
        dataset = self.dataset.fingerprint()
        every = spans(self.dataset.size(), REFERENCE_CHUNK)
        return [Source(REFERENCE, span, self._keys(names, span.key(dataset))) for span in every]

    def _truth(self, names: Sequence[str]) -> list[Source]:
        if not self.has_truth:
            return []
        inputs = content_key([GROUND_TRUTH, self.conditions.protocol()])
        every = spans(self.conditions.count, REFERENCE_CHUNK)
        return [Source(GROUND_TRUTH, span, self._keys(names, span.key(inputs))) for span in every]

    def _keys(self, names: Sequence[str], images: str) -> tuple[str, ...]:
        return tuple(features_key(self.fingerprints[name], images) for name in names)

    def collect(self, name: str) -> None:
        """The feature sets of an extractor, from the store."""
        if (name, "") in self.features.errors:
            return
        self._collect_reference(name)
        self._collect_truth(name)
        for key, case in self.cases.items():
            self._keep(name, key, self._generated(key, [name]), self._case_fields(case, self.samples.sets[key]))

    def _collect_reference(self, name: str) -> None:
        if self.dataset is None:
            self.features.errors[name, REFERENCE] = Skipped("compares with real images, and the suite has no reference")
        elif isinstance(self.dataset, SavedMoments):
            self._take_moments(name, self.dataset.moments())
        else:
            ids = np.arange(self.dataset.size(), dtype=np.int64)
            fields = {"sample_ids": ids, "labels": self.dataset.labels(), "source": self.dataset.fingerprint()}
            self._keep(name, REFERENCE, self._reference([name]), fields)

    def _collect_truth(self, name: str) -> None:
        if self.has_truth:
            ids = np.arange(self.conditions.count, dtype=np.int64)
            self._keep(name, GROUND_TRUTH, self._truth([name]), {"sample_ids": ids})
        else:
            self.features.errors[name, GROUND_TRUTH] = Skipped(NO_TRUTH)

    def _take_moments(self, name: str, moments: Moments) -> None:
        """Take saved statistics, if they were made as this extractor makes features, as far as the file says."""
        for what, expected in {"extractor": name, "fingerprint": self.fingerprints[name]}.items():
            found = getattr(moments, what)
            if found and found != expected:
                self.features.errors[name, REFERENCE] = Failed(
                    f"the statistics of the reference were made with {what} {found}, the metric asks for {expected}"
                )
                return
        self.features.moments[name] = moments

    def _keep(self, name: str, owner: str, sources: Sequence[Source], fields: dict[str, Any]) -> None:
        if (name, owner) in self.features.errors:
            return
        chunks = [self.store.read(ROOM, key) for source in sources for key in source.features_keys]
        whole = [chunk for chunk in chunks if chunk is not None]
        if len(whole) < len(chunks):
            self.features.errors[name, owner] = Failed(
                "features were lost from the cache while the run used them; run again"
            )
            return
        logits = np.concatenate([chunk["logits"] for chunk in whole]) if "logits" in whole[0] else None
        self.features.sets[name, owner] = FeatureSet(
            extractor=name,
            fingerprint=self.fingerprints[name],
            preprocessing=self.extractors[name].preprocessing,
            features=np.concatenate([chunk["features"] for chunk in whole]),
            logits=logits,
            **fields,
        )

    def _case_fields(self, case: Case, images: SampleSet) -> dict[str, Any]:
        labels = self.conditions.asked_of(adapter_of(case).capabilities()).classes(case.sample_ids)
        return {"sample_ids": case.sample_ids, "labels": labels, "source": images.content}


# --- in the child process ------------------------------------------------------------------------------------------


def extract_missing(order: Order, report: Report) -> dict[str, CellError]:
    """Extract and store the features of every source; errors by owner, whose other chunks are left out.

    Raises:
        CellError: the extractor could not be loaded.
        StoreError: features could not be stored.
    """
    extractors = [plugins.make("features", name) for name in order.extractors]
    dataset = _dataset_of(order.reference)
    errors: dict[str, CellError] = {}
    with opened(extractors) as passed:
        for done, source in enumerate(order.sources):
            report(done, len(order.sources))
            if source.owner in errors:
                continue
            try:
                _store_features(order, source, passed, dataset)
            except CellError as error:
                errors[source.owner] = error
    report(len(order.sources), len(order.sources))
    return errors


def _store_features(order: Order, source: Source, passed: Passes, dataset: Dataset | None) -> None:
    try:
        found = passed(_images(order, source, dataset))
    except EvalsuiteError:
        raise
    except Exception as error:
        raise Failed(f"features of {source.owner}: {type(error).__name__}: {error}") from error
    for key, extracted in zip(source.features_keys, found, strict=True):
        order.store.write(ROOM, key, _arrays(extracted, source.owner))


def _images(order: Order, source: Source, dataset: Dataset | None) -> NDArray[np.uint8]:
    if isinstance(source.images, str):
        return read_images(order.store, source.images)
    ids = np.arange(source.images.start, source.images.stop, dtype=np.int64)
    if source.owner == GROUND_TRUTH:
        return order.conditions.truth(ids)
    assert dataset is not None, "only the reference has such spans else"
    return dataset.images(ids)


def _arrays(extracted: Extracted, owner: str) -> dict[str, NDArray[np.float32]]:
    arrays = {name: array for name, array in extracted._asdict().items() if array is not None}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise Failed(f"{name} of {owner} hold values that are not finite")
    return arrays
