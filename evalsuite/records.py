"""The records that pass from room to room; `RunRecord` is the one that everything after a run reads.

Records that are saved are frozen pydantic models; records that carry images or features through one run are frozen
dataclasses. Arrays of a measurement are kept apart from its JSON, in ``arrays.safetensors``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evalsuite.errors import RecordError
from evalsuite.files import canonical_json, read_arrays, read_json, write_atomically

if TYPE_CHECKING:
    from pandas import DataFrame

FORMAT_VERSION = 1
ARRAY_FIELDS = ("sample_ids", "per_sample", "replicates", "group_sizes", "influence")

EXACT = "exact count"
"""Method of an interval without width."""

_NOT_IN_FRAMES = ("interval", "protocol", *ARRAY_FIELDS)
_FRAME_TYPES = {
    **dict.fromkeys(("value", "low", "high", "level"), "float64"),
    "n": "int64",
    "higher_is_better": "boolean",
}

Role = Literal["teacher", "student", "control"]
Scalar = str | int | float | bool | None


class Record(BaseModel):
    """Base of saved records: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Family(StrEnum):
    """Which statistics hold for an estimate; see the table of families in ``docs/statistics.md``."""

    MEAN = "mean"
    PROPORTION = "proportion"
    FRECHET = "frechet"
    FRECHET_DEBIASED = "frechet_debiased"
    JACKKNIFE = "jackknife"
    MMD = "mmd"
    LATENCY = "latency"
    MEMORY = "memory"
    COUNT = "count"


# --- what a run works on -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NoiseSpec:
    """How the initial noise differs from a standard normal; :mod:`evalsuite.noise` makes it.

    Attributes:
        scale: what it is multiplied by.
        kind: ``normal``; ``student_t``: heavy tails, ``amount`` degrees of freedom; ``low_pass``: without frequencies
            above the share ``amount`` of the highest; ``tiled``: one corner, repeated ``amount`` times a side. All have
            variance 1 before they are scaled.
        amount: see ``kind``; 0 for ``normal``.
        shared: so many consecutive samples have the same seed, that of the first of them.
    """

    scale: float = 1.0
    kind: Literal["normal", "student_t", "low_pass", "tiled"] = "normal"
    amount: float = 0.0
    shared: int = 1


@dataclass(frozen=True)
class Case:
    """One cell: a model on a target, on a slice.

    Attributes:
        key: ``model@target/slice``, unique in the run.
        samples_key: SHA-256 of everything that changes pixels; subset slices share their parent's.
        model: the model's name in the suite.
        role: teacher, student or control.
        adapter: name of the model adapter.
        settings: the adapter's settings, the slice's changes included.
        target: the target's name in the suite.
        slice: ``all``, ``class=sneaker``, ``latent.scale=1.1``, ...
        noise: how the initial noise is changed.
        change: what is done to each batch before the model sees it, a :class:`evalsuite.slices.contract.Change`.
        search_key: SHA-256 of everything that decides what a search for its change ends with; "" where none is
            searched for.
        target_changes: settings of the target that the slice replaces.
        sample_ids: int64 ``[N]``, increasing.
        parent: key of the case whose samples a subset slice re-uses; None for a case that generates.
        part: the subset of the samples, and of the reference: ``class=sneaker``; "" for all of them.
    """

    key: str
    samples_key: str
    model: str
    role: Role
    adapter: str
    settings: Mapping[str, Any]
    target: str
    slice: str
    sample_ids: NDArray[np.int64]
    noise: NoiseSpec = NoiseSpec()
    change: Any = None
    search_key: str = ""
    target_changes: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    part: str = ""


@dataclass(frozen=True)
class FeatureSet:
    """Features of some images by one extractor.

    Attributes:
        extractor: name.
        fingerprint: hash of the extractor's weights and code version.
        preprocessing: name of the resizing and scaling convention.
        sample_ids: int64 ``[N]``.
        features: float32 ``[N, D]``.
        logits: float32 ``[N, K]``, or None where the extractor classifies nothing.
        labels: int64 ``[N]``, the class that was asked for (generated) or is true (reference); None without classes.
        source: what the images are, for the protocol: a dataset's fingerprint or a samples key.
    """

    extractor: str
    fingerprint: str
    preprocessing: str
    sample_ids: NDArray[np.int64]
    features: NDArray[np.float32]
    logits: NDArray[np.float32] | None = None
    labels: NDArray[np.int64] | None = None
    source: str = ""

    def select(self, rows: NDArray[np.int64]) -> FeatureSet:
        """The rows at these positions (not ids)."""
        return replace(
            self,
            sample_ids=self.sample_ids[rows],
            features=self.features[rows],
            logits=None if self.logits is None else self.logits[rows],
            labels=None if self.labels is None else self.labels[rows],
        )


@dataclass(frozen=True)
class TextFeatures:
    """Embeddings of what was asked for, in the space of an extractor's image features, row by row as the samples.

    Attributes:
        features: float32 ``[N, D]``.
        cut: bool ``[N]``, whether only the beginning of the text was read.
        source: SHA-256 of the texts.
    """

    features: NDArray[np.float32]
    cut: NDArray[np.bool_]
    source: str = ""

    def select(self, rows: NDArray[np.int64]) -> TextFeatures:
        """The rows at these positions."""
        return replace(self, features=self.features[rows], cut=self.cut[rows])


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of features that are not there themselves: a saved statistics file.

    Attributes:
        extractor, fingerprint, preprocessing: as of :class:`FeatureSet`; "" where the file does not say.
        mean: float64 ``[D]``.
        covariance: float64 ``[D, D]``, divided by n - 1.
        n: samples behind them, or None where the file does not say.
        source: what the images are, for the protocol.
    """

    extractor: str
    fingerprint: str
    preprocessing: str
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n: int | None = None
    source: str = ""


# --- what a run records --------------------------------------------------------------------------------------------


class Identity(NamedTuple):
    """What names a measurement in a run."""

    case_key: str
    name: str
    against: str

    def __str__(self) -> str:
        return f"{self.name}({self.case_key} vs {self.against})"


class Interval(Record):
    """A confidence interval; ``level`` is two-sided, ``method`` says how it was made."""

    low: float
    high: float
    level: float
    method: str

    @property
    def exact(self) -> bool:
        """Whether the value was counted, so that nothing is uncertain of it."""
        return self.method == EXACT


class Cell(Record):
    """The identity that measurements and missing values share.

    Attributes:
        name: the metric's unique label in the suite.
        metric: the metric's plug-in name.
        case_key, model, role, target, slice: the case.
        against: ``reference``, ``ground_truth``, ``none`` or the key of the case it is compared with.
    """

    name: str
    metric: str
    case_key: str
    model: str
    role: Role
    target: str
    slice: str
    against: str = "reference"

    @property
    def identity(self) -> Identity:
        return Identity(self.case_key, self.name, self.against)


class Measurement(Cell):
    """One number with everything that is needed to compare it later.

    Attributes:
        extractor: name of the feature extractor, or None.
        value: the number.
        unit: ``""`` where it has none; ``s``, ``bytes``, ``dB``, ``images/s``.
        higher_is_better: direction; None where there is none.
        family: which statistics hold.
        interval: None only with a ``warning`` that says why.
        n: values that went in: samples, rounds or processes.
        protocol: what made the number; two measurements compare only if their protocols agree.
        warning: a caveat shown beside the number, or "".
        invalid: which rule of its protocol was broken, so that nothing may be decided on it; or "".
        sample_ids: int64 ``[n]``, for pairing; None where samples have no ids.
        per_sample: float64 ``[n]``; for the MMD family the projection h(x), whose mean differs from the value.
        replicates: float64 ``[G]``: leave-one-group-out values, or one value a round (latency) or process (memory).
        group_sizes: int64 ``[G]``: samples in each group left out.
        influence: float32 ``[n]``: what each sample adds to the value, to first order (Fréchet and MMD); the mean is 0,
            and the highest cost the most.
    """

    extractor: str | None = None
    value: float = Field(allow_inf_nan=False)
    unit: str = ""
    higher_is_better: bool | None = None
    family: Family
    interval: Interval | None = None
    n: int
    protocol: dict[str, Scalar] = Field(default_factory=dict)
    warning: str = ""
    invalid: str = ""
    sample_ids: NDArray[np.int64] | None = Field(default=None, exclude=True, repr=False)
    per_sample: NDArray[np.float64] | None = Field(default=None, exclude=True, repr=False)
    replicates: NDArray[np.float64] | None = Field(default=None, exclude=True, repr=False)
    group_sizes: NDArray[np.int64] | None = Field(default=None, exclude=True, repr=False)
    influence: NDArray[np.float32] | None = Field(default=None, exclude=True, repr=False)

    @property
    def profiled(self) -> bool:
        """Whether it was measured in a scenario, and not on the images."""
        return self.family in (Family.LATENCY, Family.MEMORY, Family.COUNT) or "scenario" in self.protocol

    def worst_samples(self, count: int) -> NDArray[np.int64]:
        """Ids of the samples that speak most against the model, the worst first; empty where that is not known.

        Those of the highest influence, or with the worst values of their own in a comparison image by image.
        """
        cost: NDArray[Any] | None = self.influence
        if cost is None and self.against not in ("reference", "none") and self.higher_is_better is not None:
            cost = self.per_sample if self.per_sample is None or not self.higher_is_better else -self.per_sample
        if cost is None or self.sample_ids is None or len(cost) != len(self.sample_ids):
            return np.empty(0, np.int64)
        return self.sample_ids[np.argsort(-cost, kind="stable")[:count]]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Those of the arrays that are there, by field name."""
        found = {name: getattr(self, name) for name in ARRAY_FIELDS}
        return {name: array for name, array in found.items() if array is not None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Measurement) and _with_arrays(self) == _with_arrays(other)

    __hash__ = None  # type: ignore[assignment]


def _with_arrays(measurement: Measurement) -> tuple[Any, ...]:
    arrays = measurement.arrays()
    return measurement.model_dump(), {name: (array.shape, array.tobytes()) for name, array in arrays.items()}


class Missing(Cell):
    """A cell without a number, and why."""

    kind: Literal["skipped", "unavailable", "failed"]
    reason: str


class Timings(Record):
    """Raw values of one scenario for one model on one target.

    Attributes:
        case_key: the case timed.
        scenario: its name with its settings: ``single_stream``, ``server:rate=20``, ``memory``.
        series: what else the scenario notes beside its own values: ``decode`` of ``stages``; "" for its own.
        schedule: ``turns``: all models of the target were alive and took turns. ``blocks``: they did not fit in memory
            together, and were loaded for each turn. ``processes``: fresh processes, one after another.
        batch_size: images in one call.
        unit: of the values: ``s``, ``bytes``, ``J``, ``1/s`` or ``count``.
        warmups: untimed calls before, with the same settings.
        values: float64, by round: ``values[round][call]``; for memory one round a process.
        environment: the checked environment: processor, threads, dtype, library versions.
        valid: whether the protocol of the scenario was kept.
        reason: why not, or "".
    """

    case_key: str
    scenario: str
    series: str = ""
    schedule: Literal["turns", "blocks", "processes"] = "turns"
    batch_size: int
    unit: str
    warmups: int
    values: list[list[float]]
    environment: dict[str, Scalar]
    valid: bool = True
    reason: str = ""


class Finding(Record):
    """A result of an audit that is no measurement: what was looked for, how bad, what was seen.

    Attributes:
        slice: on which slice it was seen; "" where it is about all samples, or none.
    """

    audit: str
    severity: Literal["info", "warning", "error"]
    evidence: str
    case_key: str | None = None
    slice: str = ""


class Picture(Record):
    """A thumbnail in the run folder's ``gallery/``.

    Attributes:
        sample_id, case_key: the sample.
        label: what the sample was asked for.
        file: below the run folder.
        sha256: of the file.
        shows: the ``sample`` itself, the image of the reference that is ``nearest`` to it, the ``input`` that it was
            made from, or the ``truth`` that it should have become.
        drawn: whether the sample was drawn by lot, rather than chosen because it costs a model much.
    """

    sample_id: int
    case_key: str
    label: str
    file: str
    sha256: str
    shows: Literal["sample", "nearest", "input", "truth"] = "sample"
    drawn: bool = True


class Slice(Record):
    """What a slice of a run is, for tables of slices and for curves over their levels.

    Attributes:
        id: ``class=sneaker``, ``latent.scale=1.1``, ``class=sneaker&latent.scale=1.1``.
        kind: the slice kind's name in the suite.
        base: the slice that it is a change of: ``all``, or ``class=sneaker`` for a part of a variation.
        varied: whether its samples are other ones than those of its base, not some of them.
        curve: what it is a point of: ``latent.scale``, ``class=sneaker&latent.scale``; "" for a subset.
        level: where on that curve; None where its points have no order, as schedulers.
        unchanged: the level at which nothing is changed; None where each model has its own.
        derived: whether it was chosen by what its samples showed, so that no gate is judged on it.
    """

    id: str
    kind: str
    base: str = "all"
    varied: bool = False
    derived: bool = False
    curve: str = ""
    level: float | None = None
    unchanged: float | None = None


class Weights(Record):
    """What a target made of a model's networks when it was loaded.

    Attributes:
        parameters: in all networks.
        weight_bytes: of them in memory, buffers and scales included.
        int8_layers, float_layers: linear layers and convolutions with weights in eight bits, and the others.
        compiled: modules and functions that are compiled when they are first called.
    """

    model: str
    target: str
    parameters: int = 0
    weight_bytes: int = 0
    int8_layers: int = 0
    float_layers: int = 0
    compiled: int = 0


class RunRecord(Record):
    """Everything a run found out.

    Attributes:
        suite: the resolved suite as plain JSON values.
        suite_hash: SHA-256 over what changes samples or numbers.
        environment: machine and library versions.
        provenance: models and datasets by name: fingerprint, licence, source; the command; the commit of the code;
            times.
        weights: of models that generated samples, on each target.
    """

    format_version: int = FORMAT_VERSION
    suite: dict[str, Any]
    suite_hash: str
    environment: dict[str, Scalar]
    provenance: dict[str, Any]
    slices: list[Slice] = Field(default_factory=list)
    measurements: list[Measurement] = Field(default_factory=list)
    timings: list[Timings] = Field(default_factory=list)
    missing: list[Missing] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    gallery: list[Picture] = Field(default_factory=list)
    weights: list[Weights] = Field(default_factory=list)

    @property
    def content_hash(self) -> str:
        """SHA-256 over what a repetition must reproduce: no times, host, or anything measured with a clock."""
        measured = [m for m in self.measurements if not m.profiled or m.family is Family.COUNT]
        digest = hashlib.sha256()
        for measurement in sorted(measured, key=lambda m: m.identity):
            digest.update(canonical_json(measurement.model_dump(mode="json")))
            for name, array in measurement.arrays().items():
                digest.update(name.encode() + array.tobytes())
        content = self.model_dump(mode="json", include={"format_version", "suite_hash", "findings", "gallery"})
        # Cells against nothing are those of timings: how many values there are for a percentile depends on the clock.
        # The reason may hold volatile text, such as the signal of a crash.
        content["missing"] = sorted([*m.identity, m.kind] for m in self.missing if m.against != "none")
        digest.update(canonical_json(content))
        return digest.hexdigest()

    def find(self, identity: Identity) -> Measurement | Missing | None:
        """The measurement or missing value of this identity."""
        cells: Iterator[Measurement | Missing] = iter([*self.measurements, *self.missing])
        return next((cell for cell in cells if cell.identity == identity), None)

    def frame(self) -> DataFrame:
        """One row a measurement, for notebooks: fields, its interval as ``low`` to ``method``, its protocol as JSON.

        Columns have the same types whatever they hold, nulls included; the arrays are left out.
        """
        from pandas import DataFrame

        rows = [
            m.model_dump(mode="json", exclude={"interval", "protocol"})
            | (m.interval.model_dump() if m.interval else {})
            | {"protocol": canonical_json(m.protocol).decode()}
            for m in self.measurements
        ]
        names = [*(name for name in Measurement.model_fields if name not in _NOT_IN_FRAMES), *Interval.model_fields]
        return DataFrame(rows, columns=[*names, "protocol"]).astype(
            {name: _FRAME_TYPES.get(name, "string") for name in [*names, "protocol"]}
        )

    def save(self, folder: Path) -> None:
        """Write ``record.json`` and ``arrays.safetensors``, each complete or not at all.

        Raises:
            StoreError: the folder cannot be written.
        """
        from safetensors.numpy import save

        arrays = [m.arrays().items() for m in self.measurements]
        packed = save({f"{i}/{name}": np.ascontiguousarray(a) for i, items in enumerate(arrays) for name, a in items})
        content = self.model_dump(mode="json")
        content["content_hash"] = self.content_hash
        content["arrays_sha256"] = hashlib.sha256(packed).hexdigest()
        write_atomically(folder / "arrays.safetensors", packed)
        write_atomically(folder / "record.json", json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")

    @classmethod
    def load(cls, folder: str | Path) -> RunRecord:
        """Read a run folder (or its ``record.json``).

        Raises:
            RecordError: there is no record, it is damaged, or its format version is unknown.
        """
        path = Path(folder)
        path = path / "record.json" if path.is_dir() else path
        content = read_json(path)
        version = content.get("format_version")
        if version != FORMAT_VERSION:
            newer = isinstance(version, int) and version > FORMAT_VERSION
            advice = "use a newer evalsuite" if newer else "run its suite again"
            raise RecordError(f"{path}: format version {version!r}, this evalsuite reads {FORMAT_VERSION}; {advice}")
        expected = content.pop("content_hash", None)
        arrays = read_arrays(path.parent / "arrays.safetensors", content.pop("arrays_sha256", None))
        try:
            for key, array in arrays.items():
                index, name = key.split("/")
                content["measurements"][int(index)][name] = array
            record = cls.model_validate(content)
        except (ValidationError, LookupError, TypeError, ValueError) as error:
            raise RecordError(f"{path}: not a run record: {error}") from error
        if record.content_hash != expected:
            raise RecordError(f"{path}: its content does not match its content_hash; it was changed after the run")
        return record


# --- what follows from a record ------------------------------------------------------------------------------------


class Term(Record):
    """One measurement in a linear combination."""

    coefficient: float
    identity: Identity


class Comparison(Record):
    """A difference (or ratio) of measurements, or why there is none.

    Attributes:
        name: the metric's label, as in the measurements.
        terms: the linear combination; a student-minus-teacher difference is ``(+1, student), (-1, teacher)``.
        scale: ``difference``, or ``ratio`` (latency and memory: candidate / against).
        paired: whether samples or rounds were matched.
        value, interval, p_value: of the combination; ``p_value`` is two-sided against no difference (0, or ratio 1);
            None for memory, which has no p-value.
        q_value: after correction for the table it stands in.
        standard_error: of the value (on the log scale for ratios).
        degrees_of_freedom: of that error; None where it follows from a normal approximation.
        minimum_detectable_effect: the difference (a factor above 1, for ratios) found with 80 % power at the 5 % level.
        better: whether the first term is better, if the interval excludes no difference; else None.
        invalid: which side broke which rule of its protocol, so that ``better`` is None; or "".
        note: for example that the difference is bias-corrected and not that of the printed values.
        incomparable: which field differs, or why there is no comparison; then all numbers are None.
    """

    name: str
    terms: list[Term]
    scale: Literal["difference", "ratio"] = "difference"
    unit: str = ""
    paired: bool = False
    value: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    q_value: float | None = None
    standard_error: float | None = None
    degrees_of_freedom: float | None = None
    minimum_detectable_effect: float | None = None
    better: bool | None = None
    n: int | None = None
    invalid: str = ""
    note: str = ""
    incomparable: str = ""


class SliceRow(Record):
    """What one metric says of one model on one slice; the value itself is the measurement of that identity.

    Attributes:
        cell: the measurement's identity.
        model, target, name, slice: of the measurement.
        shift: the value less that on the slice's base: what the slice does to this model.
        gap: the value less the teacher's on the same slice; None for the teacher, and for likeness to it.
        excess: the shift less the teacher's shift, with its q-value: what the slice does to a student more than to its
            teacher; None where there is no gap. A difference is bad in the direction of ``higher_is_better``.
    """

    cell: Identity
    model: str
    target: str
    name: str
    slice: str
    shift: Comparison
    gap: Comparison | None = None
    excess: Comparison | None = None


class RelativeRobustness(Record):
    """How much a student loses over a curve, or over all curves of a kind, for what its teacher loses.

    Attributes:
        over: a curve (``corruption.fog``), or a kind (``corruption``), whose ratios are averaged.
        comparison: the ratio; 1 is as robust as the teacher, 2 loses twice as much. Incomparable where the teacher
            loses nothing for certain.
    """

    model: str
    target: str
    name: str
    over: str
    comparison: Comparison


class LevelPoint(Record):
    """A model's value at one level of a curve; ``slice`` may be the base, at the level that changes nothing."""

    slice: str
    level: float
    value: float
    interval: Interval | None = None


class LevelCurve(Record):
    """A model's values of one metric over the levels of a curve, in the order of the levels."""

    model: str
    target: str
    name: str
    curve: str
    points: list[LevelPoint]


class Robustness(Record):
    """Where models break: everything that tables, heat maps and curves over slices show.

    Attributes:
        rows: model by model, in the order of the run's measurements.
        worst: by model, target and metric the row with the largest gap to the teacher in the bad direction; likeness to
            the teacher by its shift.
        relative: by student, target, metric and curve or kind.
        curves: of curves with two levels or more.
    """

    rows: list[SliceRow] = Field(default_factory=list)
    worst: list[SliceRow] = Field(default_factory=list)
    relative: list[RelativeRobustness] = Field(default_factory=list)
    curves: list[LevelCurve] = Field(default_factory=list)


class Verdict(Record):
    """The outcome of a gate.

    Attributes:
        gate: the gate in one line, as ``fid: student-4step against teacher, non_inferiority, margin 100%``.
        outcome: pass, fail, inconclusive, incomparable, or missing (a cell that the gate needs has no number).
        reason: one sentence a person understands.
        comparison: what was tested, where there was something to test.
        p_fail, p_pass: p-values of "within the margin" and of "outside" (small p_fail: a regression).
        metric: the value that the gate judges, as ``fid`` or ``latency_p50``.
    """

    gate: str
    metric: str = ""
    outcome: Literal["pass", "fail", "inconclusive", "incomparable", "missing"]
    reason: str
    comparison: Comparison | None = None
    p_fail: float | None = None
    p_pass: float | None = None


class Standing(Record):
    """A case (model and target) between quality and price.

    Attributes:
        case_key, model, target: which.
        quality, price: its two measurements.
        place: ``off`` the Pareto front: another is better in both beyond chance. ``on``: against every other it is
            better in one of the two, beyond chance. ``unsure``: neither is shown.
        beaten_by: keys of the cases that are better in both, where it is off.
        p_off, p_on: adjusted p-values of "no other is better in both" and of "another is at least as good in both".
    """

    case_key: str
    model: str
    target: str
    quality: Identity
    price: Identity
    place: Literal["on", "off", "unsure"]
    beaten_by: list[str] = Field(default_factory=list)
    p_off: float
    p_on: float


class Front(Record):
    """The Pareto front of quality against one price, with what is known of each case's place.

    Attributes:
        target: of all cases; None for the front over all targets of the run.
        quality, price: labels of the two metrics.
        level: chance of any wrong ``off``, and of any wrong ``on``, on this front.
        standings: from the lowest price to the highest.
    """

    target: str | None
    quality: str
    price: str
    level: float
    standings: list[Standing]


class BudgetChoice(Record):
    """Which cases keep a latency budget on one target, and which of those has the best quality.

    Attributes:
        budget_s: seconds.
        latency, quality: labels of the two metrics.
        level: of the latency intervals is 1 minus it; chance of any case being wrongly called worse than another.
        within, perhaps, beyond: case keys by their latency interval: below the budget, around it, above it; best
            quality first. A value that is INVALID or has no interval is ``perhaps``.
        best: of those within, the one with the best value; None where there is none.
        rivals: others that are within and not shown to be worse than any that is.
        contenders: those perhaps within that are not shown to be worse than any that is.
    """

    target: str
    budget_s: float
    latency: str
    quality: str
    level: float
    within: list[str]
    perhaps: list[str]
    beyond: list[str]
    best: str | None
    rivals: list[str]
    contenders: list[str]


class Curve(Record):
    """Models that are one checkpoint at several numbers of steps: they are drawn as one line.

    Attributes:
        models: by increasing steps.
        num_steps: of each.
    """

    models: list[str]
    num_steps: list[int]


class Tradeoffs(Record):
    """Quality against what it costs: fronts, choices at a latency budget, and which models form a curve.

    Attributes:
        quality: label of the metric that models are judged by at a glance; "" where there is none.
        prices: labels of latency, peak memory and cost, as far as they were measured, whether or not a case has both
            a quality and a price.
    """

    quality: str = ""
    prices: list[str] = Field(default_factory=list)
    fronts: list[Front] = Field(default_factory=list)
    choices: list[BudgetChoice] = Field(default_factory=list)
    curves: list[Curve] = Field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        suite_hash: of the suite it was made from.
        cases: in order: teachers first, a subset slice after the case whose samples it re-uses.
        missing: cells that are known beforehand not to run (unavailable target, slice the model cannot do).
        slices: all but ``all``.
    """

    suite_hash: str
    cases: tuple[Case, ...]
    missing: tuple[Missing, ...] = field(default=())
    slices: tuple[Slice, ...] = field(default=())


class Rank(Record):
    """Where something stands among others: 1 is best, and every rank from ``low`` to ``high`` may be its own."""

    low: int
    high: int


class Past(Record):
    """An earlier value of an entry of a leaderboard, measured by the same protocol."""

    run: str
    when: str
    link: str
    value: float
    interval: Interval | None = None


class Entry(Record):
    """A model on a target, on a leaderboard; measurements are without their arrays.

    Attributes:
        suite, run, when, link: its newest run: suite, name, end (ISO 8601), relative address of the report or "".
        cell: the value that ranks it.
        rank: its place, beyond chance.
        prices: median latency, peak memory and cost of the same case, as far as they were measured.
        slices: by slice its value there, and its rank among the entries measured alike.
        history: all its runs of the board's protocol, the newest last.
    """

    model: str
    role: Role
    target: str
    suite: str
    run: str
    when: str
    link: str
    cell: Measurement
    rank: Rank
    prices: list[Measurement] = Field(default_factory=list)
    slices: dict[str, tuple[Measurement, Rank]] = Field(default_factory=dict)
    history: list[Past] = Field(default_factory=list)


class Board(Record):
    """Entries measured by one protocol, the best first.

    Attributes:
        metric: label of the metric that ranks.
        protocol: what all entries have in common.
        level: chance that any rank interval of the board is wrong.
    """

    task: str
    metric: str
    unit: str
    higher_is_better: bool
    protocol: dict[str, Scalar]
    level: float
    entries: list[Entry]
