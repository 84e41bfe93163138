"""Which metrics, gates and stages are left of a suite that is only timed."""

from __future__ import annotations

from typing import Any

import pytest

from evalsuite.errors import UsageError
from evalsuite.pipeline.plan import make_plan
from evalsuite.pipeline.timed_part import generating, timed_part
from evalsuite.suite.schema import Suite

METRICS: list[dict[str, Any]] = [
    {"name": "kid", "metric": "kid"},
    {"name": "latency", "metric": "latency"},
    {"name": "batches", "metric": "throughput"},
    {"name": "batches_small", "metric": "throughput", "settings": {"scenario": "offline:batch_size=2"}},
]


def suite(*gates: dict[str, Any], **changes: Any) -> Suite:
    return Suite.model_validate(
        {
            "suite": "small",
            "task": "class_conditional",
            "reference": {"dataset": "fashion-mnist"},
            "sampling": {"num_samples": 20},
            "models": {"student": {"role": "student", "adapter": "zoo", "settings": {"name": "fashion-1step"}}},
            "targets": {"cpu": {"device": "cpu"}},
            "metrics": METRICS,
            "slices": [{"kind": "attribute"}],
            "gates": [{"candidate": "student", "test": "limit", "max": 1, **gate} for gate in gates],
            **changes,
        }
    )


def names(made: Suite) -> list[str]:
    return [spec.name for spec in made.metrics]


@pytest.mark.parametrize(
    ("globs", "left"),
    [
        (["*"], ["latency", "batches", "batches_small"]),
        (["single_stream"], ["latency"]),
        (["offline"], ["batches", "batches_small"]),
        (["offline:batch_size=*"], ["batches_small"]),
        (["single*", "offline:batch_size=2"], ["latency", "batches_small"]),
    ],
)
def test_metrics_by_scenario(globs: list[str], left: list[str]) -> None:
    made = timed_part(suite(), {"scenario": globs})
    assert names(made) == left
    assert made.slices == []


def test_without_a_scenario_the_suite_is_whole() -> None:
    assert timed_part(suite(), {"model": ["*"]}) == suite()


def test_gates_go_with_their_metrics() -> None:
    made = suite({"metric": "kid"}, {"metric": "latency_p90"}, {"metric": "batches"}, {"metric": "batches_small"})
    assert [gate.metric for gate in timed_part(made, {"scenario": ["single_stream"]}).gates] == ["latency_p90"]
    assert [gate.metric for gate in timed_part(made, {"scenario": ["offline"]}).gates] == ["batches", "batches_small"]


def test_there_are_no_later_stages() -> None:
    made = timed_part(suite(on_inconclusive="extend", stages=[20, 40]), {"scenario": ["*"]})
    assert (made.stages, made.on_inconclusive) == ([], "fail")
    assert Suite.model_validate(made.model_dump()) == made
    assert timed_part(suite(on_inconclusive="warn"), {"scenario": ["*"]}).on_inconclusive == "warn"


def test_a_scenario_that_no_metric_reads_is_refused() -> None:
    with pytest.raises(UsageError, match="single_stream, offline, offline:batch_size=2"):
        timed_part(suite(), {"scenario": ["server"]})


def test_samples_are_drawn_only_for_metrics_that_read_them() -> None:
    whole, timed = suite(), timed_part(suite(), {"scenario": ["*"]})
    plan = make_plan(whole)
    assert generating(whole, plan) is plan
    assert generating(timed, make_plan(timed)).cases == ()
