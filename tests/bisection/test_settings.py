"""What differs between two suites, and suites with some of it changed."""

from __future__ import annotations

from typing import Any

import pytest

from evalsuite.bisection.settings import changes_between, metric_of, with_changes
from evalsuite.errors import UsageError
from evalsuite.suite.schema import Suite

GOAL = {"model": "student", "target": "cpu", "metric": "fid"}


def suite(**changes: Any) -> Suite:
    content: dict[str, Any] = {
        "suite": "two",
        "task": "class_conditional",
        "reference": {"dataset": "fashion-mnist", "settings": {"split": "test"}},
        "sampling": {"num_samples": 40},
        "models": {
            "teacher": {"role": "teacher", "adapter": "zoo", "settings": {"name": "fashion-teacher", "num_steps": 16}},
            "student": {"role": "student", "adapter": "zoo", "settings": {"name": "fashion-4step"}},
            "other": {"role": "student", "adapter": "zoo", "settings": {"name": "fashion-1step"}},
        },
        "targets": {"cpu": {"device": "cpu", "settings": {"dtype": "float32"}}},
        "metrics": [{"name": "fid", "metric": "fid", "settings": {"extractor": "fashion-cnn"}}],
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        inner: Any = content
        for key in parents:
            inner = inner[int(key)] if key.isdigit() else inner[key]
        inner[last] = value
    return Suite.model_validate(content)


def changed(**changes: Any) -> list[str]:
    return [str(change) for change in changes_between(suite(), suite(**changes), **GOAL)]


def test_each_setting_is_a_change_of_its_own() -> None:
    assert changed(
        sampling__seed=7,
        targets__cpu__settings={"dtype": "bfloat16", "threads": 1},
        metrics__0__settings={"extractor": "pixels"},
    ) == [
        "sampling.seed: 0 -> 7",
        "targets.cpu.dtype: float32 -> bfloat16",
        "targets.cpu.threads: none -> 1",
        "metrics.fid.extractor: fashion-cnn -> pixels",
    ]


def test_another_adapter_is_one_change_with_its_settings() -> None:
    folder = {"role": "student", "adapter": "image_folder", "settings": {"path": "x"}}
    assert changed(models__student=folder) == ["models.student: zoo -> image_folder"]


def test_what_does_not_concern_the_metric_is_no_change() -> None:
    with pytest.raises(UsageError, match="do not differ in anything that concerns fid of student@cpu"):
        changed(models__other__settings={"name": "fashion-2step"}, description="another")


def test_changes_are_made_one_after_another() -> None:
    bad = suite(sampling__seed=7, targets__cpu__settings={"dtype": "bfloat16"})
    changes = changes_between(suite(), bad, **GOAL)
    none, first, both = (with_changes(suite(), changes[:n], **GOAL) for n in range(3))
    assert (none.sampling.seed, none.targets["cpu"].settings["dtype"]) == (0, "float32")
    assert (first.sampling.seed, first.targets["cpu"].settings["dtype"]) == (7, "float32")
    assert (both.sampling.seed, both.targets["cpu"].settings["dtype"]) == (7, "bfloat16")
    assert list(both.models) == ["teacher", "student"]
    assert not both.gates


def test_a_value_belongs_to_the_metric_that_gives_it() -> None:
    both = suite(metrics=[{"name": name, "metric": name} for name in ("latency", "fid", "fid_debiased")])
    assert [metric_of(both, label) for label in ("latency_p50", "fid", "fid_debiased")] == [
        "latency", "fid", "fid_debiased",
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no metric that gives 'kid', expected one of"):
        metric_of(both, "kid")


@pytest.mark.parametrize(("key", "kind"), [("model", "model"), ("target", "target")])
def test_names_that_are_not_there_are_told(key: str, kind: str) -> None:
    with pytest.raises(UsageError, match=f"found no {kind} 'nobody', expected one of"):
        changes_between(suite(), suite(sampling__seed=1), **{**GOAL, key: "nobody"})
