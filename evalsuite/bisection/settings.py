"""The line of changes between two suites: one setting after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.suite.schema import Suite

SECTIONS = ("reference", "prompts", "inputs", "sampling", "models", "targets", "metrics", "slices")
"""Parts of a suite that can move a number, in the order in which they are changed."""


@dataclass(frozen=True)
class Change:
    """One setting that differs.

    Attributes:
        path: keys from the suite's top, as ``("models", "student", "settings", "num_steps")``.
        before, after: plain values; None where it is not set.
    """

    path: tuple[str, ...]
    before: Any
    after: Any

    def __str__(self) -> str:
        where = ".".join(part for part in self.path if part != "settings")
        return f"{where}: {_shown(self.before)} -> {_shown(self.after)}"


def changes_between(good: Suite, bad: Suite, *, model: str, target: str, metric: str) -> list[Change]:
    """What differs between two suites in all that can move a metric of a model on a target.

    Raises:
        UsageError: nothing does, or a suite lacks the model, target or metric.
    """
    before, after = (_concerning(suite, model, target, metric) for suite in (good, bad))
    found = list(_differences(before, after, ()))
    if not found:
        raise UsageError(f"the two suites do not differ in anything that concerns {metric} of {model}@{target}")
    return found


def with_changes(suite: Suite, changes: Sequence[Change], *, model: str, target: str, metric: str) -> Suite:
    """The suite with some changes made, and of its models, targets and metrics those that are needed."""
    content = _concerning(suite, model, target, metric)
    for change in changes:
        _set(content, change.path, change.after)
    metrics = [{**spec, "name": name} for name, spec in content.pop("metrics").items()]
    kept = suite.model_dump(mode="json", include={"suite", "task"})
    return Suite.model_validate({**kept, **content, "metrics": metrics})


def metric_of(suite: Suite, label: str) -> str:
    """The label of the metric that gives a value: ``latency`` for ``latency_p50``.

    Raises:
        UsageError: the suite has none.
    """
    spec = suite.metric_of(label)
    if spec is None:
        labels = ", ".join(sorted(known.name for known in suite.metrics))
        raise UsageError(f"{suite.suite}: found no metric that gives {label!r}, expected one of {labels}")
    return spec.name


def _concerning(suite: Suite, model: str, target: str, metric: str) -> dict[str, Any]:
    """The parts that concern one model, its teacher, one target and one metric; metrics by their label."""
    content = suite.model_dump(mode="json", include=set(SECTIONS))
    label = metric_of(suite, metric)
    models = [name for name in dict.fromkeys((suite.teacher, model)) if name is not None]
    content["models"] = {name: _chosen(content["models"], name, "model", suite) for name in models}
    content["targets"] = {target: _chosen(content["targets"], target, "target", suite)}
    content["metrics"] = {spec["name"]: spec for spec in content["metrics"] if spec["name"] == label}
    return content


def _chosen(section: Mapping[str, Any], name: str, kind: str, suite: Suite) -> Any:
    if name not in section:
        raise UsageError(f"{suite.suite}: found no {kind} {name!r}, expected one of {', '.join(section)}")
    return section[name]


def _differences(good: Any, bad: Any, path: tuple[str, ...]) -> Iterator[Change]:
    """Setting by setting; of another adapter, device or metric the settings are another thing, and change with it."""
    if good == bad:
        return
    if not (isinstance(good, dict) and isinstance(bad, dict)) or _is_another(good, bad):
        yield Change(path, good, bad)
        return
    for key in dict.fromkeys([*good, *bad]):
        yield from _differences(good.get(key), bad.get(key), (*path, key))


def _is_another(good: Mapping[str, Any], bad: Mapping[str, Any]) -> bool:
    choosers = ("adapter", "device", "metric", "dataset", "set", "kind")
    return any(good.get(key) != bad.get(key) for key in choosers)


def _set(content: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        content = content[key]
    if value is None:
        content.pop(path[-1], None)
    else:
        content[path[-1]] = value


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        chooser = next((value[key] for key in ("adapter", "device", "metric", "dataset", "set") if key in value), None)
        return str(chooser or value)
    return "none" if value is None else str(value)
