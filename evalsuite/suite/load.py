"""A suite file -> a :class:`~evalsuite.suite.schema.Suite`, or all its problems at once.

The straight line: read the file and its includes, write out every matrix, bring the short forms into the form of the
records, validate, let each plug-in validate its own settings, and look whether the names that gates use exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalsuite import pairing, plugins
from evalsuite.datasets.contract import GroundTruth
from evalsuite.errors import EvalsuiteError, Problem, SuiteError, UsageError, with_article
from evalsuite.metrics.contract import Inputs
from evalsuite.plugins import Room
from evalsuite.settings import unit_of
from evalsuite.slices.contract import Columns
from evalsuite.suite import matrix
from evalsuite.suite.contradictions import gate_problems, stage_problems
from evalsuite.suite.document import Node, Place, joined
from evalsuite.suite.include import read_with_includes
from evalsuite.suite.references import Label, Names, gate_faults
from evalsuite.suite.schema import Fault, GateSpec, Suite
from evalsuite.suite.slicing import SliceReading
from evalsuite.suite.validate import fault_problem, validate
from evalsuite.suite.wording import choice, shown

CHOSEN = {"reference": "dataset", "prompts": "set", "inputs": "dataset"}
"""Sections that name one plug-in with its settings, and the key that names it."""

_METRIC_KEYS = ("name", "against", "targets")
"""What stands beside a metric and its settings."""

OPTIONAL_SECTIONS = (
    "version", "description", "reference", "prompts", "inputs", "slices", "gates", "alpha", "on_inconclusive", "stages",
    "profile", "report",
)  # fmt: skip
"""May stand there empty, as when everything below them is a comment."""


def load_suite(path: str | Path) -> Suite:
    """Read and check a suite file.

    Raises:
        SuiteError: with every problem found, in the order of the file.
    """
    root, problems = read_with_includes(Path(path))
    return _checked(root, problems, str(path))


def suite_of(content: Mapping[str, Any], origin: str | Path) -> Suite:
    """Check what a suite file would say, given as plain values by the code of the file ``origin``.

    Relative paths are taken from the folder of ``origin``.

    Raises:
        SuiteError: with every problem found.
    """
    return _checked(Node.of(content, Place(str(origin), 0, 0)), [], str(origin))


def _checked(root: Node, problems: Iterable[Problem], main: str) -> Suite:
    """The suite that a tree describes.

    Raises:
        SuiteError: with every problem found, in the order of the main file.
    """
    reading = _Reading(problems)
    canonical = reading.canonical(root)
    suite, found = validate(Suite, canonical)
    reading.add(found)
    resolved = reading.resolve_plugins(canonical)
    reading.check_references(canonical)
    if reading.problems or suite is None:
        raise SuiteError(_in_order(reading.problems, main))
    return Suite.model_validate({**suite.model_dump(), **resolved})


def _in_order(problems: Iterable[Problem], main: str) -> list[Problem]:
    return sorted(problems, key=lambda p: (p.file != main, p.file, p.line, p.column))


class _Reading:
    """One reading of a file: collects problems, and what the plug-ins made of their settings."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = []
        self.classes: dict[str, Any] = {}
        self.objects: dict[str, Any] = {}
        self.has_reference = False
        self.add(problems)

    def add(self, problems: Iterable[Problem]) -> None:
        """Note problems; two at one place are one mistake seen twice, and the first says it best."""
        earlier = {(p.file, p.line, p.column) for p in self.problems if p.line}
        for problem in problems:
            place = (problem.file, problem.line, problem.column)
            said = any((p.file, p.line, p.column) == place and p.found == problem.found for p in self.problems)
            if place not in earlier and not said:
                self.problems.append(problem)

    # --- the short forms -------------------------------------------------------------------------------------------

    def canonical(self, root: Node) -> Node:
        """The tree in the form of the records: every plug-in's settings under ``settings``."""
        value = {key: node for key, node in (root.mapping or {}).items() if not key.startswith("x-")}
        value = {key: node for key, node in value.items() if node.value is not None or key not in OPTIONAL_SECTIONS}
        for key, chooser in CHOSEN.items():
            if key in value:
                value[key] = self._nested(_named_alone(value[key], chooser), (chooser,))
        for key, form in (("models", ("role", "adapter", "targets")), ("targets", ("device",))):
            if key in value:
                value[key] = self._section(value[key], form)
        for key, short in (("metrics", self._metric), ("slices", self._slice)):
            if key in value and value[key].items is not None:
                value[key] = replace(value[key], value=[short(entry) for entry in value[key].items or []])
        return replace(root, value=value)

    def _section(self, section: Node, own: tuple[str, ...]) -> Node:
        if section.mapping is None:
            return section
        section, problems = matrix.expand(section)
        self.add(problems)
        return replace(section, value={name: self._nested(e, own) for name, e in (section.mapping or {}).items()})

    @staticmethod
    def _nested(entry: Node, own: tuple[str, ...]) -> Node:
        """Keys other than ``own`` go under ``settings``."""
        if entry.mapping is None:
            return entry
        settings = entry.without(*own)
        kept = _listed(entry.only(own), "targets").mapping or {}
        return replace(entry, value={**kept, "settings": settings})

    def _metric(self, entry: Node) -> Node:
        """``fid``, ``{latency: {scenario: single_stream}}``, ``{fid: {...}, name: label}``, or with ``against`` or
        ``targets``."""
        named = self._named(entry.without(*_METRIC_KEYS) if entry.mapping else entry, "metric", "settings")
        if named is None:
            return replace(entry, value={})
        name, settings = named
        own = _listed(entry.only(_METRIC_KEYS), "targets").mapping or {}
        return replace(entry, value={"name": name, "metric": name, "settings": settings, **own})

    def _slice(self, entry: Node) -> Node:
        """``{attribute: class}`` or ``{latent: {scale: [1.1]}}``, or with ``cross``; what is no mapping is the kind's
        first field."""
        named = self._named(entry.without("cross") if entry.mapping else entry, "slice kind", "")
        if named is None:
            return replace(entry, value={})
        kind, settings = named
        plugin = self._find("slices", kind)
        if plugin is None:
            settings = replace(settings, value={})
        elif settings.mapping is None:
            first = next(iter(plugin.model_fields))
            settings = Node({first: settings}, settings.place, entry.path, {first: settings.place})
        cross = _listed(entry.only(["cross"]), "cross").mapping or {}
        return replace(entry, value={"kind": kind, "settings": settings, **cross})

    def _named(self, entry: Node, what: str, only: str) -> tuple[Node, Node] | None:
        """The plug-in's name and its settings, from a bare name or from a mapping with this one key.

        Args:
            only: "settings" where the value must be a mapping.
        """
        if isinstance(entry.value, str):
            return entry, Node({}, entry.place, entry.path)
        if entry.mapping is None or len(entry.mapping) != 1:
            names = " and ".join(map(shown, entry.mapping or {}))
            found = names if names else shown(entry.plain())
            hint = "start each on a line of its own with a dash" if names else ""
            self.add([entry.problem(found, f"the name of one {what}, or a name and its settings", hint)])
            return None
        name, settings = next(iter(entry.mapping.items()))
        if settings.value is None:
            settings = replace(settings, value={})
        if only == "settings" and settings.mapping is None:
            self.add([settings.problem(shown(settings.plain()), f"settings of {name}: a mapping (keys with values)")])
            settings = replace(settings, value={})
        return Node(name, entry.keys.get(name, entry.place), entry.path), settings

    # --- plug-ins --------------------------------------------------------------------------------------------------

    def resolve_plugins(self, canonical: Node) -> dict[str, Any]:
        """Sections with every plug-in's settings validated and complete, as plain values.

        An entry's settings are left out where they are wrong; the problem is noted.
        """
        sections = canonical.mapping or {}
        resolved: dict[str, Any] = {}
        chosen: tuple[tuple[str, Room], ...] = (
            ("reference", "datasets"),
            ("prompts", "prompts"),
            ("inputs", "datasets"),
        )
        for section, room in chosen:
            if section in sections:
                resolved[section] = self._resolve(room, CHOSEN[section], sections[section], (CHOSEN[section],))
        rooms: tuple[tuple[str, Room, str, tuple[str, ...]], ...] = (
            ("models", "models", "adapter", ("role", "adapter", "matrix")),
            ("targets", "targets", "device", ("device", "matrix")),
            ("metrics", "metrics", "metric", ()),
            ("slices", "slices", "kind", ()),
        )
        for section, room, chooser, own in rooms:
            node = sections.get(section)
            if node is not None and node.mapping is not None:
                resolved[section] = {k: self._resolve(room, chooser, e, own) for k, e in node.mapping.items()}
            elif node is not None and node.items is not None:
                resolved[section] = [self._resolve(room, chooser, e, own) for e in node.items]
        for format_node in _formats(sections.get("report")):
            self._find("reports", format_node)
        return resolved

    def _resolve(self, room: Room, chooser: str, entry: Node, own: tuple[str, ...]) -> Any:
        parts = entry.mapping or {}
        if not isinstance(parts.get(chooser, entry).value, str) or "settings" not in parts:
            return entry.plain()
        plugin = self._find(room, parts[chooser])
        if plugin is None:
            return entry.plain()
        self.classes[entry.path] = plugin
        settings, problems = validate(plugin, parts["settings"], also=own, kind=f"setting of {parts[chooser].value}")
        self.add(problems)
        if settings is None:
            return entry.plain()
        self.objects[entry.path] = settings
        self._check_extractor(getattr(settings, "extractor", None), parts["settings"], entry)
        return {**entry.plain(), "settings": settings.model_dump(mode="json")}

    def _check_extractor(self, extractor: object, settings: Node, entry: Node) -> None:
        """An extractor is one text, ``name`` or ``name:key=value,key=value``; its settings have its place."""
        if not isinstance(extractor, str):
            return
        node = (settings.mapping or {}).get("extractor", Node(extractor, entry.place, entry.path))
        try:
            name, values = plugins.parse(extractor)
        except UsageError:
            self.add([node.problem(shown(extractor), "a name, or name:key=value,key=value with each setting once")])
            return
        plugin = self._find("features", replace(node, value=name))
        if plugin is not None:
            children: dict[str, Node] = {k: Node(v, node.place, joined(node.path, k)) for k, v in values.items()}
            _, problems = validate(plugin, replace(node, value=children), kind=f"setting of {name}")
            self.add(problems)

    def _find(self, room: Room, name: Node) -> Any:
        """The plug-in's class; None and a problem where there is none, or where its module is broken."""
        kind, text = plugins.KINDS[room], str(name.value)
        if text not in plugins.names(room):
            expected, hint = choice(text, plugins.names(room), with_article(kind))
            self.add([name.problem(f"{kind} {shown(name.plain())}", expected, hint)])
            return None
        try:
            return plugins.find(room, text)
        except (ImportError, AttributeError) as error:
            hint = "install what it needs, or mend it"
            self.add([name.problem(f"{kind} {text!r}, which cannot be imported: {error}", "one that can", hint)])
            return None

    # --- names that one part uses and another defines --------------------------------------------------------------

    def check_references(self, canonical: Node) -> None:
        """Labels, teachers, slices and the names in gates.

        Where a whole section cannot be read, every name would seem unknown; then nothing is said about names.
        """
        sections = canonical.mapping or {}
        self.add(stage_problems(sections))
        shapes = {"models": dict, "targets": dict, "metrics": list}
        if any(name not in sections or not isinstance(sections[name].value, shapes[name]) for name in shapes):
            return
        self.has_reference = "reference" in sections
        names = self._names(sections)
        for model in (sections["models"].mapping or {}).values():
            self.add(_target_problems(model, names))
        self.add(self._metric_problems(sections.get("metrics"), names))
        self.add(_duplicate_slices(sections.get("slices")))
        gates = _items(sections.get("gates"))
        for gate in gates:
            self.add(_gate_problems(gate, names))
        self.add(gate_problems(gates, [name for name, role in names.models.items() if role == "student"]))
        self.add(_benchmark_problems(sections.get("report"), names))

    def _names(self, sections: dict[str, Node]) -> Names:
        models = (sections["models"].mapping or {}) if "models" in sections else {}
        targets = (sections["targets"].mapping or {}) if "targets" in sections else {}
        roles = {name: (entry.mapping or {}).get("role") for name, entry in models.items()}
        known = ("teacher", "student", "control")
        return Names(
            models={name: role.value if role and role.value in known else None for name, role in roles.items()},  # type: ignore[misc]
            targets=list(targets),
            limited={name: limits for name, entry in models.items() if (limits := _written(entry, "targets"))},
            metrics=dict(self._labels(sections.get("metrics"))),
            slices=self._slice_ids(sections),
        )

    def _labels(self, section: Node | None) -> Iterator[tuple[str, Label]]:
        for entry in _items(section):
            label = (entry.mapping or {}).get("name")
            if label is not None and isinstance(label.value, str):
                metric, targets = self.objects.get(entry.path), _written(entry, "targets")
                known = Label(None, None)
                if metric is not None:
                    known = Label(metric.unit, _as_ratio(metric), targets, _of_teacher(entry, metric.inputs))
                for value in (*getattr(metric, "values", ("",)), *getattr(metric, "optional_values", ())):
                    yield f"{label.value}_{value}" if value else label.value, known

    def _slice_ids(self, sections: dict[str, Node]) -> list[str] | None:
        """Ids of all slices; None where an entry is wrong or the dataset cannot be read now."""
        known = {name: list(self._known(sections.get(name))) for name in ("models", "targets")}
        complete = {name: kept for name, kept in known.items() if None not in kept}
        reading = SliceReading(self.objects, self._columns(sections), **complete)
        ids = reading.ids(_items(sections.get("slices")))
        self.add(reading.problems)
        return ids

    def _known(self, section: Node | None) -> Iterator[Any]:
        """What the plug-ins of a section made of their settings, None where one of them is wrong."""
        return (self.objects.get(entry.path) for entry in ((section.mapping or {}) if section else {}).values())

    def _columns(self, sections: dict[str, Node]) -> Columns | None:
        """What is known of the samples: the attributes of the prompts, or the classes of the dataset; None where they
        cannot be read now, or are known to the run only."""
        try:
            if "prompts" in self.objects:
                return pairing.columns_of(_sampled(self.objects["prompts"].attributes(), sections))
            asked = self.objects.get("inputs") or self.objects.get("reference")
            class_names = asked.class_names() if asked is not None else ()
        except EvalsuiteError:
            return None
        classes = {"class": [[name] for name in class_names]}
        asked_for = classes if "inputs" in self.objects else _sampled(classes, sections)
        return pairing.columns_of(asked_for) if class_names else None

    def _metric_problems(self, section: Node | None, names: Names) -> Iterator[Problem]:
        first: dict[str, Node] = {}
        for entry in _items(section):
            label = (entry.mapping or {}).get("name")
            if label is None or not isinstance(label.value, str):
                continue
            if label.value in first:
                hint = f"line {first[label.value].place.line} has it already; add name: another-label"
                yield label.problem(f"the label {shown(label.value)} for the second time", "each label once", hint)
            first.setdefault(label.value, label)
            inputs = getattr(self.classes.get(entry.path), "inputs", None)
            compares = inputs == Inputs.FEATURES and getattr(self.classes[entry.path], "uses_reference", True)
            if compares and not self.has_reference:
                hint = "it compares with real images"
                yield entry.problem(f"{label.value} in a suite without a reference", "a key 'reference'", hint)
            yield from self._against_problems(entry, label, inputs)
            yield from _target_problems(entry, names)
            if _of_teacher(entry, inputs) and not names.has_role("teacher"):
                hint = "it compares each image with the teacher's of the same seed"
                yield entry.problem(f"{label.value} in a suite without a teacher", "a model with role: teacher", hint)

    def _against_problems(self, entry: Node, label: Node, inputs: Inputs | None) -> Iterator[Problem]:
        """``against`` where it means nothing, or where what it asks for is not there."""
        against = (entry.mapping or {}).get("against")
        if against is None or inputs is None:
            return
        if not inputs.of_pairs:
            hint = "only metrics of pairs of images, such as psnr, are measured against something else"
            yield against.problem(f"against for {label.value}", "no against", hint)
        elif against.value == "ground_truth" and not isinstance(self.objects.get("inputs"), GroundTruth):
            hint = "such as inputs: {dataset: low-resolution, of: fashion-mnist}"
            yield against.problem("'ground_truth'", "inputs that say what they were made from", hint)


def _sampled(attributes: Mapping[str, Sequence[Sequence[str]]], sections: dict[str, Node]) -> dict[str, Any]:
    """The attributes of those conditions that samples are asked for: sample i gets condition i mod their number."""
    sampling = sections.get("sampling")
    planned = (sampling.mapping or {}).get("num_samples") if sampling is not None else None
    count = planned.value if planned is not None and isinstance(planned.value, int) and planned.value > 0 else None
    return {name: values[:count] for name, values in attributes.items()}


def _as_ratio(metric: Any) -> bool:
    """Whether two values of a metric are compared by their ratio."""
    return metric.inputs == Inputs.TIMINGS and getattr(metric, "as_ratio", True)


def _named_alone(entry: Node, chooser: str) -> Node:
    """``challenge`` as ``{set: challenge}``."""
    return replace(entry, value={chooser: entry}) if isinstance(entry.value, str) else entry


def _listed(entry: Node, key: str) -> Node:
    """With ``cross: class`` as ``cross: [class]``."""
    alone = (entry.mapping or {}).get(key)
    if alone is None or not isinstance(alone.value, str):
        return entry
    return replace(entry, value={**(entry.mapping or {}), key: replace(alone, value=[alone])})


def _written(entry: Node, key: str) -> list[str]:
    """The names in a list of the entry."""
    return [str(node.value) for node in _items((entry.mapping or {}).get(key))]


def _target_problems(entry: Node, names: Names) -> Iterator[Problem]:
    """Targets of a model or a metric that the suite does not have."""
    for target in _items((entry.mapping or {}).get("targets")):
        if target.value not in names.targets:
            yield target.problem(
                shown(target.plain()), *choice(str(target.value), names.targets, "the name of a target")
            )


def _items(section: Node | None) -> list[Node]:
    return (section.items or []) if section is not None else []


def _formats(report: Node | None) -> Iterator[Node]:
    formats = (report.mapping or {}).get("formats") if report is not None else None
    return (node for node in _items(formats) if isinstance(node.value, str))


def _benchmark_problems(report: Node | None, names: Names) -> Iterator[Problem]:
    """Metrics and targets of benchmarks that the suite does not have."""
    kinds = (("metric", names.metrics, "a metric of this suite"), ("target", names.targets, names.target))
    for entry in _items((report.mapping or {}).get("benchmarks") if report is not None else None):
        for key, known, kind in kinds:
            node = (entry.mapping or {}).get(key)
            if node is not None and isinstance(node.value, str) and node.value not in known:
                yield node.problem(shown(node.value), *choice(node.value, known, kind))


def _of_teacher(entry: Node, inputs: Inputs | None) -> bool:
    """Whether a metric compares samples with the teacher's of the same seed."""
    against = (entry.mapping or {}).get("against")
    return inputs is not None and inputs.of_pairs and (against is None or against.value == "teacher")


def _duplicate_slices(section: Node | None) -> Iterator[Problem]:
    first: list[tuple[Any, Node]] = []
    for entry in _items(section):
        content = entry.plain()
        for earlier, node in first:
            if content and earlier == content:
                yield entry.problem("a slice for the second time", "each slice once", f"see line {node.place.line}")
        first.append((content, entry))


def _gate_problems(node: Node, names: Names) -> Iterator[Problem]:
    """Problems of names and units; a gate with other faults is checked as far as it can be read."""
    gate, _ = validate(GateSpec, node)
    if gate is None:
        texts = {key: child.value for key, child in (node.mapping or {}).items() if isinstance(child.value, str)}
        if not {"metric", "candidate"} <= set(texts):
            return
        gate = GateSpec.model_construct(**{**texts, "margin": None})  # type: ignore[arg-type]
    yield from (fault_problem(node, fault) for fault in gate_faults(gate, names))
    label = names.metrics.get(gate.metric)
    if label is not None and label.unit is not None:
        yield from (fault_problem(node, fault) for fault in _unit_faults(node, gate.metric, label.unit))


def _unit_faults(node: Node, metric: str, unit: str) -> Iterator[Fault]:
    margin = (node.mapping or {}).get("margin")
    places = {("max",): node, ("min",): node, ("margin", "absolute"): margin}
    for location, holder in places.items():
        child = (holder.mapping or {}).get(location[-1]) if holder is not None else None
        written = unit_of(child.value) if child is not None else None
        if child is not None and written is not None and written != unit:
            expected = f"a number in {unit}, the unit of {metric}" if unit else f"a bare number: {metric} has no unit"
            yield Fault(location, shown(child.value), expected)
