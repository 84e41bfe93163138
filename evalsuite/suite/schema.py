"""What a suite is: frozen records, in the resolved form that a run's record keeps.

A file may be written shorter than this (settings beside ``adapter``, ``fid`` for a metric); :mod:`evalsuite.suite.load`
turns one into the other. Nothing here looks up a plug-in, so that a record can be read where a plug-in is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from evalsuite.files import content_key
from evalsuite.profiles import ProfileName
from evalsuite.records import Role
from evalsuite.settings import Fraction, Quantity, Seconds, Settings

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""Names end up in file names, keys and reports, so they hold nothing that means something there."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=64)]
Task = Literal["unconditional", "class_conditional", "text_to_image", "image_to_image"]
GateTest = Literal["non_inferiority", "equivalence", "superiority", "no_regression", "limit"]
OnInconclusive = Literal["fail", "warn", "extend"]

MARGIN_NEEDED = ("non_inferiority", "equivalence")


class Fault(NamedTuple):
    """A mistake that concerns several fields; ``location`` says which one to show."""

    location: tuple[str, ...]
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{'.'.join(self.location)}: found {self.found}, expected {self.expected}"


def refuse(faults: list[Fault]) -> None:
    """Raise all faults as one validation error, of type ``faults``.

    Raises:
        PydanticCustomError: there are any.
    """
    if faults:
        raise PydanticCustomError("faults", "{text}", {"text": "; ".join(map(str, faults)), "faults": faults})


class SuitePart(Settings):
    """Base of the parts of a suite: frozen, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class ReferenceSpec(SuitePart):
    """The real data: a dataset's name and its settings."""

    dataset: str
    settings: dict[str, Any] = Field(default_factory=dict)


class PromptSpec(SuitePart):
    """What images are asked for: a prompt set's name and its settings."""

    set: str
    settings: dict[str, Any] = Field(default_factory=dict)


class SamplingSpec(SuitePart):
    """How many samples each model generates, and the seed that all their noise follows from."""

    num_samples: int = Field(ge=1, le=10_000_000)
    seed: int = Field(default=0, ge=0, lt=2**63)


class ModelSpec(SuitePart):
    """A model: its role, the adapter that loads it, and the adapter's settings.

    Attributes:
        targets: names of those that it runs on; none for all.
    """

    role: Role
    adapter: str
    settings: dict[str, Any] = Field(default_factory=dict)
    targets: list[str] = Field(default_factory=list)


class TargetSpec(SuitePart):
    """Where models run: a device kind and its settings."""

    device: str
    settings: dict[str, Any] = Field(default_factory=dict)


class MetricSpec(SuitePart):
    """A metric under the label ``name``, which is unique in the suite.

    Attributes:
        against: for metrics of pairs, what each sample is compared with: the ``teacher``'s of the same seed, or the
            ``ground_truth`` that the inputs were made from.
        targets: names of those that it is measured on; none for all.
    """

    name: Name
    metric: str
    settings: dict[str, Any] = Field(default_factory=dict)
    against: Literal["teacher", "ground_truth"] = "teacher"
    targets: list[str] = Field(default_factory=list)

    def gives(self, label: str) -> bool:
        """Whether a value of this label may be its: ``latency_p50`` of ``latency``."""
        return label == self.name or label.startswith(f"{self.name}_")


class SliceSpec(SuitePart):
    """A kind of slice with its settings; it may yield many slices, as ``class=sneaker`` and the other classes.

    Attributes:
        cross: for variations, attributes by whose values each of their slices is divided again.
    """

    kind: str
    settings: dict[str, Any] = Field(default_factory=dict)
    cross: list[str] = Field(default_factory=list)


class Margin(SuitePart):
    """How much worse (or different) is still fine; exactly one field is set.

    Attributes:
        relative: share of the value that is compared against: 0.05, or 5%.
        absolute: in the metric's unit.
        ratio: candidate divided by what it is compared against.
    """

    relative: Fraction | None = Field(default=None, ge=0)
    absolute: Quantity | None = Field(default=None, ge=0)
    ratio: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_one_kind(self) -> Margin:
        given = [name for name in ("relative", "absolute", "ratio") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none of them"
            refuse([Fault((), found, "exactly one of relative, absolute, ratio", "such as margin: {relative: 5%}")])
        return self


class GateSpec(SuitePart):
    """A condition that a candidate must meet.

    Attributes:
        metric: label of a metric, or of one of its values (``latency_p50``).
        candidate: ``MODEL``, ``MODEL@TARGET``, or ``*`` for every student.
        against: ``MODEL`` or ``MODEL@TARGET`` (``teacher`` means the model with that role), or ``baseline:NAME``;
            none for ``limit``.
        test: ``non_inferiority``: worse by less than the margin. ``equivalence``: different by less than the margin.
            ``superiority``: better, by more than the margin if there is one. ``no_regression``: not shown to be worse
            (by more than the margin if there is one). ``limit``: the value itself is within ``min`` and ``max``.
        margin: see :class:`Margin`.
        min, max: for ``limit``, in the metric's unit.
        slice: ``all``, the id of a slice, or ``worst`` for every slice of the suite.
        target: the target it concerns; None for each target of the suite.
    """

    metric: str
    candidate: str
    against: str | None = None
    test: GateTest
    margin: Margin | None = None
    min: Quantity | None = None
    max: Quantity | None = None
    slice: str = "all"
    target: str | None = None

    @model_validator(mode="after")
    def _fields_fit_the_test(self) -> GateSpec:
        refuse(list(self._limit_faults() if self.test == "limit" else self._comparison_faults()))
        return self

    def _limit_faults(self) -> Iterator[Fault]:
        if self.min is None and self.max is None:
            yield Fault((), "a limit gate without min and max", "one of them or both", "such as max: 80 ms")
        if self.min is not None and self.max is not None and self.min > self.max:
            yield Fault(("min",), f"min {self.min:g} above max {self.max:g}", "min below max")
        if self.against is not None:
            yield Fault(("against",), f"{self.against!r} with test: limit", "no against", _LIMIT_HINT)
        if self.margin is not None:
            yield Fault(("margin",), "a margin with test: limit", "no margin", _LIMIT_HINT)

    def _comparison_faults(self) -> Iterator[Fault]:
        if self.against is None:
            yield Fault((), f"test: {self.test} without against", "a key 'against'", "such as against: teacher")
        if self.margin is None and self.test in MARGIN_NEEDED:
            yield Fault((), f"test: {self.test} without a margin", "a margin", "such as margin: {relative: 5%}")
        if self.margin is not None and self.test == "equivalence":
            yield from self._equivalence_faults(self.margin)
        for bound in ("min", "max"):
            if getattr(self, bound) is not None:
                hint = f"{bound} belongs to test: limit; here, write a margin"
                yield Fault((bound,), f"{bound} with test: {self.test}", f"no {bound}", hint)

    @staticmethod
    def _equivalence_faults(margin: Margin) -> Iterator[Fault]:
        for kind, null in (("relative", 0.0), ("absolute", 0.0), ("ratio", 1.0)):
            if getattr(margin, kind) == null:
                hint = "no sample shows that two models are exactly equal"
                yield Fault(("margin", kind), f"{null:g}", "a margin that leaves room for equivalence", hint)


_LIMIT_HINT = "a limit is about the candidate's own value; to compare with another model, choose another test"


class BenchmarkSpec(SuitePart):
    """A benchmark of the Hugging Face Hub whose task this suite does, as its author says; model cards bring the result.

    Attributes:
        dataset: its identifier, ``ORGANISATION/NAME``.
        task_id: of its tasks, as its ``eval.yaml`` calls it.
        metric: label of the metric, or of one of its values, that is its result.
        target: on which target; None for the first on which the model has it.
    """

    dataset: str = Field(max_length=200)
    task_id: Name
    metric: str
    target: str | None = None

    @model_validator(mode="after")
    def _dataset_is_of_the_hub(self) -> BenchmarkSpec:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*", self.dataset):
            refuse([Fault(("dataset",), repr(self.dataset), "an identifier of the Hub", "such as ORGANISATION/NAME")])
        return self


class ReportSpec(SuitePart):
    """Which reports to write, and what they ask.

    Attributes:
        formats: names of report formats.
        latency_budget: seconds; the report says which model is best among those that keep it.
        benchmarks: what model cards give a value for.
    """

    formats: list[str] = Field(default=["html", "markdown", "csv", "json"], min_length=1)
    latency_budget: Seconds | None = Field(default=None, gt=0)
    benchmarks: list[BenchmarkSpec] = Field(default_factory=list)


class Suite(SuitePart):
    """A whole suite; see ``docs/suite.md`` for what its file says.

    Attributes:
        suite: its name.
        version: counted up by its author when its numbers are no longer comparable with earlier ones.
        description: for readers of the report.
        alpha: false-alarm rate of all gates together.
        on_inconclusive: what a gate without a decision means: ``fail``: exit code 3. ``warn``: it is told, and the exit
            code is 0. ``extend``: more samples, up to the last stage, and then as ``fail``.
        stages: for ``extend``, the numbers of samples at which gates are judged, the first that of ``sampling``.
        profile: how long models are timed.
        reference: the real data; None where no metric compares with any.
        prompts: what images are asked for; for text_to_image, and for image_to_image where models take both.
        inputs: what images are made from; for image_to_image only.
        models, targets: by name, in the order of the file.
    """

    suite: Name
    version: int = Field(default=1, ge=1)
    description: str = ""
    task: Task
    reference: ReferenceSpec | None = None
    prompts: PromptSpec | None = None
    inputs: ReferenceSpec | None = None
    sampling: SamplingSpec
    models: dict[Name, ModelSpec] = Field(min_length=1)
    targets: dict[Name, TargetSpec] = Field(min_length=1)
    metrics: list[MetricSpec] = Field(min_length=1)
    slices: list[SliceSpec] = Field(default_factory=list)
    gates: list[GateSpec] = Field(default_factory=list)
    alpha: Fraction = Field(default=0.01, gt=0, lt=0.5)
    on_inconclusive: OnInconclusive = "fail"
    stages: list[Annotated[int, Field(ge=1, le=10_000_000)]] = Field(default_factory=list, max_length=20)
    profile: ProfileName = "standard"
    report: ReportSpec = ReportSpec()

    @model_validator(mode="after")
    def _parts_fit(self) -> Suite:
        refuse([*self._task_faults(), *self._stage_faults()])
        return self

    def _task_faults(self) -> Iterator[Fault]:
        if self.task == "text_to_image" and self.prompts is None:
            yield Fault((), "task: text_to_image without prompts", "a key 'prompts'", "such as prompts: challenge")
        if self.task not in ("text_to_image", "image_to_image") and self.prompts is not None:
            yield Fault(("prompts",), f"prompts with task: {self.task}", "no prompts, or task: text_to_image")
        if self.task == "image_to_image" and self.inputs is None:
            hint = "a dataset, such as inputs: {dataset: image-folder, path: ...}"
            yield Fault((), "task: image_to_image without inputs", "a key 'inputs'", hint)
        if self.task != "image_to_image" and self.inputs is not None:
            yield Fault(("inputs",), f"inputs with task: {self.task}", "no inputs, or task: image_to_image")
        if self.task == "class_conditional" and self.reference is None:
            hint = "its classes are asked for"
            yield Fault((), "task: class_conditional without a reference", "a key 'reference'", hint)

    def _stage_faults(self) -> Iterator[Fault]:
        such = "such as stages: [1000, 2000, 4000]"
        if self.on_inconclusive == "extend" and len(self.stages) < 2:
            yield Fault((), "on_inconclusive: extend without stages", "a key 'stages' with two numbers or more", such)
        if self.on_inconclusive != "extend" and self.stages:
            found = f"stages with on_inconclusive: {self.on_inconclusive}"
            yield Fault(("stages",), found, "no stages, or on_inconclusive: extend")
        if self.stages != sorted(set(self.stages)):
            yield Fault(("stages",), f"{self.stages}", "numbers of samples that grow", such)

    @property
    def suite_hash(self) -> str:
        """SHA-256 over what changes samples or numbers; name, version, all about gates, and report do not."""
        measured = {"task", "reference", "prompts", "inputs", "sampling", "models", "targets", "metrics", "slices"}
        return content_key(self.model_dump(mode="json", include=measured))

    def metric_of(self, label: str) -> MetricSpec | None:
        """The metric that gives a value of this label; None if there is none."""
        giving = [spec for spec in self.metrics if spec.gives(label)]
        return max(giving, key=lambda spec: len(spec.name), default=None)

    def targets_of(self, model: str, label: str) -> list[str]:
        """Names of the targets on which a value of this label is measured of the model."""
        metric = self.metric_of(label)
        limits = [self.models[model].targets, [] if metric is None else metric.targets]
        return [target for target in self.targets if all(target in limit for limit in limits if limit)]

    @property
    def teacher(self) -> str | None:
        """The name of the first model with the role teacher, which students are compared with."""
        return next((name for name, model in self.models.items() if model.role == "teacher"), None)
