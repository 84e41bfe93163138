"""Metrics of images or features that are there already, without a suite: ``evalsuite.measure``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from evalsuite import pairing, plugins
from evalsuite.compare import difference as compare
from evalsuite.compare.contrast import Common
from evalsuite.direct import statistics
from evalsuite.direct.extraction import Extraction
from evalsuite.direct.images import Images, repeated
from evalsuite.direct.pairs import partners, stacked
from evalsuite.direct.prompts import texts_of
from evalsuite.direct.sources import Given, read
from evalsuite.errors import CellError, Skipped, UsageError
from evalsuite.features.contract import TextEmbedder
from evalsuite.files import content_key
from evalsuite.metrics.contract import (
    Estimate,
    FeatureInputs,
    FeaturePairInputs,
    ImageInputs,
    Inputs,
    Metric,
    PairInputs,
)
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.values import Valued, extraction_protocol, measurement, values_of
from evalsuite.records import Comparison, FeatureSet, Measurement, Missing, Moments, Scalar, TextFeatures
from evalsuite.store import Store

DEFAULT_EXTRACTOR = "inception-v3"
"""What FID means where nothing else is said."""

NOT_STATED = "not stated"
"""In place of an extractor's name, where features were given without it."""

OF_MOMENTS = ("fid",)
"""Metrics whose value follows from mean and covariance of the generated samples; without the samples, no interval."""

BATCH_SIZE = 64
TARGET = "given"
"""In place of a target: where the images were made is not known."""

Source = str | Path | ArrayLike
MetricEntry = str | Mapping[str, Mapping[str, Any]]
Cells = tuple[list[Measurement], list[Missing]]


def measure(
    *,
    generated: Source,
    reference: Source | None = None,
    metrics: Iterable[MetricEntry] = ("fid",),
    extractor: str | None = None,
    sample_ids: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    prompts: Sequence[str] | str | Path | None = None,
    batch_size: int = BATCH_SIZE,
    cache: str | Path | None = None,
    listener: Listener = lambda event: None,
) -> Cells:
    """Measure images or features.

    Args:
        generated: a folder of images, a ``.zip``, ``.npy``, ``.npz`` or ``.safetensors`` file, or an array: uint8
            ``[N, H, W, C]``, ``[N, C, H, W]`` (C 1 or 3) or ``[N, H, W]``, or float features ``[N, D]``.
        reference: the same, or a statistics file (``evalsuite statistics``, clean-fid's or pytorch-fid's ``.npz``);
            None for metrics that need no reference. For metrics of pairs the ground truth: files of the same names, or
            the same positions.
        metrics: names, or ``{name: settings}``.
        extractor: of the features; of features that were given, what made them. Where nothing is said: that of the
            statistics file, else ``inception-v3``.
        sample_ids: int ``[N]``, one for each generated sample; differences between results of the same ids are paired,
            so equal ids should mean the same seed and condition. Files are in the order of their paths.
        labels: int ``[N]``, the class that each sample was asked for.
        prompts: the text that each sample was asked for: ``[N]``, or a file with one a line (``.txt``), as JSON lines
            (``.jsonl``) or in the column ``prompt`` (``.csv``).
        batch_size: images that pass the extractor at once; changes memory and speed, not numbers.
        cache: the folder where features are kept; else ``$EVALSUITE_CACHE``, else the user's cache folder.
        listener: is told of the progress.

    Returns:
        The measurements, and what has no number and why: a value that a metric asked for is in one or the other.

    Raises:
        UsageError: something given cannot be read, or makes no sense; says what was expected.
        StoreError: the cache cannot be used.
    """
    if isinstance(metrics, str):
        raise UsageError(f"metrics: found the text {metrics!r}, expected a list such as [{metrics!r}]")
    cells = [_cell(entry) for entry in metrics]
    if double := repeated(cell.name for cell in cells):
        raise UsageError(f"metrics: found {double} twice, expected each metric once")
    if batch_size < 1:
        raise UsageError(f"batch_size: found {batch_size}, expected 1 or more")
    step = _Measuring(
        generated=read(generated, "generated"),
        reference=None if reference is None else read(reference, "reference"),
        extractor=extractor,
        model=_model_of(generated),
        extraction=Extraction(Store(cache), batch_size, listener),
        sample_ids=sample_ids,
        labels=labels,
        prompts=None if prompts is None else texts_of(prompts),
    )
    listener(Event("stage", "extract"))
    measurements: list[Measurement] = []
    missing: list[Missing] = []
    step.expect(cells)
    for cell in cells:
        found, gaps = step.measure(cell)
        measurements += found
        missing += gaps
    return measurements, missing


def difference(candidate: Measurement | Missing, against: Measurement | Missing, level: float = 0.95) -> Comparison:
    """``candidate - against``, paired where both have the same sample ids.

    Args:
        candidate, against: of the same metric, from :func:`measure` or from the record of a run.
        level: of the two-sided interval.

    Returns:
        Value, interval, p-value and minimum detectable effect; or ``incomparable``, which says what differs.
    """
    return compare.difference(candidate, against, level, common=Common.SEEDS)


def moments(
    given: Source,
    *,
    extractor: str | None = None,
    batch_size: int = BATCH_SIZE,
    cache: str | Path | None = None,
    listener: Listener = lambda event: None,
) -> Moments:
    """Mean and covariance of the features of some images, for later calls of :func:`measure`; arguments as there.

    Raises:
        UsageError: something given cannot be read, or has fewer than two samples.
        CellError: there are no features.
        StoreError: the cache cannot be used.
    """
    source = read(given, "reference")
    if isinstance(source, Moments):
        return source
    if isinstance(source, Images):
        listener(Event("stage", "extract"))
        name = extractor or DEFAULT_EXTRACTOR
        source = Extraction(Store(cache), batch_size, listener).features(source, name, "reference")
    elif extractor:
        source = replace(source, extractor=extractor)
    return statistics.moments_of(source)


@dataclass(frozen=True)
class _Cell:
    """A metric that was asked for; ``extractor`` is None where its settings name none."""

    name: str
    metric: Metric
    extractor: str | None

    @property
    def against(self) -> str:
        return "ground_truth" if self.metric.inputs.of_pairs else "reference"


class _Measuring:
    """Both sides, and what was made of them so far."""

    def __init__(
        self,
        generated: Given,
        reference: Given | None,
        extractor: str | None,
        model: str,
        extraction: Extraction,
        sample_ids: ArrayLike | None,
        labels: ArrayLike | None,
        prompts: Sequence[str] | None,
    ) -> None:
        self.generated, self.reference, self.extractor, self.model = generated, reference, extractor, model
        self.extraction = extraction
        self.size = _length(generated)
        ids = None if sample_ids is None else _integers(sample_ids, self.size, "sample_ids")
        if ids is not None and len(np.unique(ids)) < len(ids):
            raise UsageError("sample_ids: found an id twice, expected each sample to have its own")
        # Samples are taken in the order of their ids, so that results of the same ids fit together row by row.
        self.order = np.arange(self.size) if ids is None else np.argsort(ids)
        self.sample_ids = None if ids is None else ids[self.order]
        self.labels = None if labels is None else _integers(labels, self.size, "labels")[self.order]
        self.prompts = None if prompts is None else self._in_order(prompts)
        self.kept: dict[tuple[str, str], FeatureSet | Moments | CellError] = {}
        self.expected: frozenset[str] = frozenset()

    def _in_order(self, prompts: Sequence[str]) -> list[str]:
        if len(prompts) != self.size:
            raise UsageError(f"prompts: found {len(prompts)}, expected {self.size}, one a sample")
        return [prompts[position] for position in self.order]

    def expect(self, cells: Iterable[_Cell]) -> None:
        """Take note of all extractors, since layers of one network come out of one pass over the images."""
        self.expected = frozenset(self._extractor_of(cell) for cell in cells if cell.metric.inputs.of_features)

    def measure(self, cell: _Cell) -> Cells:
        """All values of one metric."""
        work: Callable[[_Cell], tuple[Any, dict[str, Scalar]]] = {
            Inputs.FEATURES: self._features,
            Inputs.FEATURE_PAIRS: self._feature_pairs,
            Inputs.IMAGES: self._images,
            Inputs.PAIRS: self._pairs,
        }[cell.metric.inputs]
        measurements: list[Measurement] = []
        missing: list[Missing] = []
        try:
            inputs, protocol = work(cell)
            for valued in values_of(cell.name, cell.metric, inputs):
                if valued.estimate is None:
                    missing.append(Missing(kind="skipped", reason=valued.skipped, **self._fields(cell, valued.value)))
                else:
                    measurements.append(self._measurement(cell, valued, valued.estimate, protocol))
        except CellError as error:
            missing.append(Missing(kind=error.kind, reason=str(error), **self._fields(cell)))
        return measurements, missing

    def _measurement(
        self, cell: _Cell, valued: Valued, estimate: Estimate, protocol: Mapping[str, Scalar]
    ) -> Measurement:
        fields, ids = self._fields(cell, valued.value), self.sample_ids if estimate.n == self.size else None
        if isinstance(self.generated, Moments):
            estimate = replace(estimate, influence=None)  # of samples that stand in for those that nobody kept
        return measurement(fields, cell.metric, estimate, valued.interval, protocol=protocol, sample_ids=ids)

    def _fields(self, cell: _Cell, value: str = "") -> dict[str, Any]:
        return {
            "name": f"{cell.name}_{value}" if value else cell.name,
            "metric": cell.name,
            "case_key": f"{self.model}@{TARGET}/all",
            "model": self.model,
            "role": "student",
            "target": TARGET,
            "slice": "all",
            "against": cell.against,
        }

    # --- what the kinds of metrics read, and the protocol that belongs to it ---------------------------------------

    def _features(self, cell: _Cell) -> tuple[FeatureInputs, dict[str, Scalar]]:
        generated = self._generated_features(cell)
        reference = self._reference_features(cell, generated)
        protocol = self._extraction_protocol(generated, reference)
        protocol |= {"reference_fingerprint": reference.source, "n": self.size}
        # One group is none that could be left out.
        dealt = not isinstance(self.generated, Moments)
        groups = mixed_groups(self.size, self.labels) if dealt else np.zeros(self.size, np.int64)
        texts = self._texts(cell) if getattr(cell.metric, "reads_texts", False) else None
        return FeatureInputs(generated, reference, groups, asked=self.labels, texts=texts), protocol

    def _texts(self, cell: _Cell) -> TextFeatures | None:
        """Embeddings of the prompts by the metric's extractor; None where there are no prompts."""
        if self.prompts is None:
            return None
        name = self._extractor_of(cell)
        extractor = plugins.make("features", name)
        if not isinstance(extractor, TextEmbedder):
            raise Skipped(f"the extractor {name} embeds no texts; choose one that does, such as clip-vit-b-32")
        embedded = extractor.embed_texts(self.prompts)
        return TextFeatures(embedded.features, embedded.cut, content_key(self.prompts))

    def _feature_pairs(self, cell: _Cell) -> tuple[FeaturePairInputs, dict[str, Scalar]]:
        rows = self._partners
        generated = self._generated_features(cell)
        reference = self._reference_features(cell, generated)
        if isinstance(reference, Moments):
            raise Skipped("needs the features of each pair, and of the reference there are only mean and covariance")
        protocol = self._extraction_protocol(generated, reference)
        protocol |= {"against_fingerprint": reference.source, "n": self.size}
        return FeaturePairInputs(generated, reference.select(rows)), protocol

    def _images(self, cell: _Cell) -> tuple[ImageInputs, dict[str, Scalar]]:
        if not isinstance(self.generated, Images):
            raise Skipped("needs images, and there are only features")
        mine = stacked(self.generated, self.order, self.extraction.store.root)
        protocol: dict[str, Scalar] = {"quantisation": "uint8", "n": self.size}
        return ImageInputs(self._ids, mine.images, self.labels, self.prompts), protocol

    def _pairs(self, cell: _Cell) -> tuple[PairInputs, dict[str, Scalar]]:
        rows = self._partners
        if not (isinstance(self.generated, Images) and isinstance(self.reference, Images)):
            raise Skipped("needs images on both sides, and there are only features")
        folder = self.extraction.store.root
        mine, theirs = stacked(self.generated, self.order, folder), stacked(self.reference, rows, folder)
        protocol: dict[str, Scalar] = {
            "quantisation": "uint8",
            "against_fingerprint": theirs.fingerprint,
            "n": self.size,
        }
        return PairInputs(self._ids, mine.images, theirs.images), protocol

    @property
    def _ids(self) -> NDArray[np.int64]:
        return np.arange(self.size, dtype=np.int64) if self.sample_ids is None else self.sample_ids

    @cached_property
    def _partners(self) -> NDArray[np.int64]:
        """Position in the reference of each generated sample's pair."""
        return partners(self.generated, self.reference)[self.order]

    def _extraction_protocol(self, generated: FeatureSet, reference: FeatureSet | Moments) -> dict[str, Scalar]:
        protocol = extraction_protocol(generated)
        protocol["quantisation"] = "uint8" if isinstance(self.generated, Images) else NOT_STATED
        if reference.extractor != generated.extractor:
            protocol["reference_extractor"] = reference.extractor
        return protocol

    # --- features ---------------------------------------------------------------------------------------------------

    def _generated_features(self, cell: _Cell) -> FeatureSet:
        found = self._made("generated", self.generated, cell)
        if isinstance(found, Moments):
            if cell.name not in OF_MOMENTS:
                raise Skipped("needs each generated sample, and there are only the mean and covariance of all")
            found = statistics.samples_with(found)
        if self.sample_ids is not None:
            found = replace(found.select(self.order), sample_ids=self.sample_ids)
        return replace(found, labels=self.labels)

    def _reference_features(self, cell: _Cell, generated: FeatureSet) -> FeatureSet | Moments:
        if self.reference is None:
            # No samples, so that a metric which reads them says how many it needs.
            return replace(generated.select(np.empty(0, np.int64)), source="none")
        reference = self._made("reference", self.reference, cell)
        _require_alike(generated, reference)
        return reference

    def _made(self, side: str, given: Given, cell: _Cell) -> FeatureSet | Moments:
        """Features of one side by the extractor of a metric; made once, and an error is not met twice."""
        name = self._extractor_of(cell)
        if (side, name) not in self.kept:
            try:
                self.kept[side, name] = self._make(side, given, name)
            except CellError as error:
                self.kept[side, name] = error
        found = self.kept[side, name]
        if isinstance(found, CellError):
            raise found
        return found

    def _make(self, side: str, given: Given, name: str) -> FeatureSet | Moments:
        if isinstance(given, Images):
            return self.extraction.features(given, name, side, self.expected)
        return replace(given, extractor=given.extractor or self.extractor or NOT_STATED)

    def _extractor_of(self, cell: _Cell) -> str:
        stated = (side.extractor for side in (self.reference, self.generated) if isinstance(side, Moments))
        return cell.extractor or self.extractor or next(filter(None, stated), DEFAULT_EXTRACTOR)


def _cell(entry: MetricEntry) -> _Cell:
    """A metric with its settings.

    Raises:
        UnknownNameError: there is no such metric.
        UsageError: a setting is unknown or wrong, or the metric reads timings.
    """
    named: Mapping[str, Mapping[str, Any]] = {entry: {}} if isinstance(entry, str) else entry
    if len(named) != 1:
        raise UsageError(f"metrics: found {dict(named)}, expected a name or {{name: settings}}")
    (name, settings), *_ = named.items()
    plugin = plugins.find("metrics", name)
    if plugin.inputs == Inputs.TIMINGS:
        raise UsageError(f"metrics: {name} times a model, which is not here; put it into a suite and use evalsuite run")
    try:
        metric = plugin.model_validate(settings)
        # Few networks read texts, so a metric of texts has its own for where nothing is said.
        own = metric.extractor if getattr(metric, "reads_texts", False) else None
        return _Cell(name, metric, settings.get("extractor", own))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"metrics: {name}: {where}: found {first['input']!r}: {first['msg']}") from error


def _require_alike(generated: FeatureSet, reference: FeatureSet | Moments) -> None:
    """Refuse features of different networks, as far as both sides say what made them.

    Raises:
        UsageError: names what differs.
    """
    for field in ("extractor", "fingerprint", "preprocessing"):
        mine, other = (getattr(side, field) for side in (generated, reference))
        if mine != other and not {mine, other} & {"", NOT_STATED}:
            raise UsageError(
                f"reference: made with {field} {other}, and the generated features with {mine}; "
                "make the statistics again with the same extractor, or choose it with --extractor"
            )
    dim = generated.features.shape[1]
    theirs = len(reference.mean) if isinstance(reference, Moments) else reference.features.shape[1]
    if dim != theirs:
        raise UsageError(
            f"generated features have {dim} dimensions and those of the reference {theirs}; "
            "expected features of one extractor on both sides"
        )


def mixed_groups(n: int, labels: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Jackknife group of each sample, int64 ``[n]``: dealt out in an order that is mixed, but always the same.

    Images often come class after class, or with classes in turn; groups of neighbours, or of every 20th, would then
    each hold a class of their own, and the interval would take the difference of classes for noise. Where the classes
    are known each is dealt out by itself.
    """
    order = np.argsort(pairing.seeds_of(np.arange(n, dtype=np.int64), seed=0))
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    groups = np.empty(n, np.int64)
    groups[order] = pairing.groups_of(np.arange(n, dtype=np.int64), num_classes=1)
    return groups


def _integers(given: ArrayLike, size: int, what: str) -> NDArray[np.int64]:
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"{what}: cannot be made an array: {error}; expected {size} integers") from error
    if array.shape != (size,) or not np.issubdtype(array.dtype, np.integer):
        raise UsageError(f"{what}: found {array.dtype} {list(array.shape)}, expected {size} integers, one a sample")
    return array.astype(np.int64)


def _length(given: Given) -> int:
    if isinstance(given, Moments):
        return given.n or 0
    return len(given) if isinstance(given, Images) else len(given.features)


def _model_of(generated: Source) -> str:
    """What messages call the generated side: the name of its file or folder."""
    return (isinstance(generated, str | Path) and Path(generated).stem) or "generated"
