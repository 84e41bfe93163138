"""Whether the names that a gate uses are defined elsewhere in the suite: metrics, models, targets, slices."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from evalsuite.records import Role
from evalsuite.suite.schema import Fault, GateSpec
from evalsuite.suite.wording import choice, shown


@dataclass(frozen=True)
class Label:
    """What a gate must know of a metric; None where the metric itself is wrong and nothing is known.

    Attributes:
        unit: of its values, as ``s`` or ``bytes``.
        ratio: whether two of its values are compared by their ratio, as timings, memory and exact numbers are.
        targets: those that it is measured on; none for all.
        of_teacher: whether its values say how much a model is like the teacher, which so has none.
    """

    unit: str | None
    ratio: bool | None
    targets: Collection[str] = ()
    of_teacher: bool = False


@dataclass(frozen=True)
class Names:
    """What a suite defines.

    Attributes:
        models: roles by name; None where the entry is wrong.
        targets: names.
        limited: names of the targets of each model that is not for all.
        metrics: by the names that a gate may use: a label, or label and value (``latency_p50``) where it has several.
        slices: ids that are known before a run, ``all`` left out; None where they cannot be known.
        target: what a target's name is, for messages.
    """

    models: Mapping[str, Role | None]
    targets: Collection[str]
    limited: Mapping[str, Collection[str]]
    metrics: Mapping[str, Label]
    slices: Collection[str] | None
    target: str = "the name of a target"

    def targets_of(self, model: str) -> tuple[Collection[str], str]:
        """Where a model can be a gate's candidate, and what that is for messages."""
        if model not in self.limited:
            return self.targets, self.target
        return [target for target in self.targets if target in self.limited[model]], f"a target of {model}"

    def has_role(self, role: Role) -> bool:
        """Whether a model has this role, or may have it."""
        return any(found in (role, None) for found in self.models.values())


def gate_faults(gate: GateSpec, names: Names) -> Iterator[Fault]:
    """Names of a gate that nothing in the suite bears, and margins that do not fit the metric."""
    yield from _metric_faults(gate, names)
    label = names.metrics.get(gate.metric)
    if label is not None and label.of_teacher:
        yield from _likeness_faults(gate, names)
    if label is not None and label.targets:
        names = replace(names, targets=label.targets, target=f"a target of {gate.metric}")
    if gate.candidate == "*":
        if not names.has_role("student"):
            yield Fault(("candidate",), "'*' in a suite without students", "a model with role: student")
    else:
        yield from _model_faults("candidate", gate.candidate, names)
    if gate.against is not None:
        yield from _against_faults(gate.against, gate.candidate, names)
    if gate.target is not None:
        yield from _unknown(("target",), gate.target, *names.targets_of(gate.candidate))
        for field in ("candidate", "against"):
            if "@" in (getattr(gate, field) or ""):
                yield Fault((field,), f"{getattr(gate, field)!r} beside target", "the target in one place")
    if names.slices is not None and gate.slice not in ("all", "worst"):
        yield from _unknown(("slice",), gate.slice, ["all", "worst", *names.slices], "the id of a slice")


def _metric_faults(gate: GateSpec, names: Names) -> Iterator[Fault]:
    label = names.metrics.get(gate.metric)
    if label is None:
        wrong = [name for name, known in names.metrics.items() if known.ratio is None]
        if not any(gate.metric.startswith(f"{name}_") for name in wrong):
            yield from _unknown(("metric",), gate.metric, names.metrics, "a metric of this suite")
    elif gate.margin is not None and gate.margin.ratio is not None and label.ratio is False:
        hint = "ratios are for timings and memory; write margin: {relative: 5%}"
        yield Fault(("margin", "ratio"), f"a ratio for {gate.metric}", "relative or absolute", hint)
    elif gate.margin is not None and gate.margin.absolute is not None and label.ratio is True:
        hint = "timings and memory are compared as ratios; write margin: {relative: 5%}"
        yield Fault(("margin", "absolute"), f"an absolute margin for {gate.metric}", "relative or ratio", hint)


def _likeness_faults(gate: GateSpec, names: Names) -> Iterator[Fault]:
    """Questions of the teacher that a metric of likeness to it cannot answer."""
    teacher = next((name for name, role in names.models.items() if role == "teacher"), "teacher")
    if gate.candidate.partition("@")[0] == teacher:
        found = f"{gate.candidate!r} for {gate.metric}, which compares models with {teacher}"
        yield Fault(("candidate",), found, "another model")
    elif gate.against is not None and gate.against.partition("@")[0] in (teacher, "teacher"):
        hint = f"{gate.metric} compares with {teacher} already; give min and max"
        yield Fault(("against",), f"{gate.against!r} for {gate.metric}", "test: limit, or another model", hint)


def _against_faults(against: str, candidate: str, names: Names) -> Iterator[Fault]:
    kind, colon, baseline = against.partition(":")
    if colon:
        if kind != "baseline" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", baseline):
            yield Fault(("against",), shown(against), "baseline:NAME", "such as baseline:main")
    elif against.split("@")[0] == "teacher" and "teacher" not in names.models:
        if not names.has_role("teacher"):
            yield Fault(("against",), f"{against!r} in a suite without a teacher", "a model with role: teacher")
        yield from _target_faults("against", against, names)
    elif against == candidate:
        yield Fault(("against",), f"{against!r}, the candidate itself", "another model")
    else:
        yield from _model_faults("against", against, names)


def _model_faults(field: str, written: str, names: Names) -> Iterator[Fault]:
    known = [*names.models, *(["teacher"] if field == "against" else [])]
    yield from _unknown((field,), written.split("@")[0], known, "the name of a model")
    yield from _target_faults(field, written, names)


def _target_faults(field: str, written: str, names: Names) -> Iterator[Fault]:
    model, at, target = written.partition("@")
    if at:
        known, what = names.targets_of(model)
        yield from _unknown((field,), target, known, f"{what} after @")


def _unknown(location: tuple[str, ...], name: str, known: Collection[str], kind: str) -> Iterator[Fault]:
    if name not in known:
        yield Fault(location, shown(name), *choice(name, known, kind))
