"""The records: what the hash covers, what a gate refuses, that a record cannot change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from evalsuite.suite.schema import GateSpec, Margin, Suite


@pytest.mark.parametrize(
    "change",
    [
        {"sampling": "sampling: {num_samples: 201}"},
        {"sampling": "sampling: {num_samples: 200, seed: 1}"},
        {"targets": "targets: {cpu: {device: cpu, batch_size: 8}}"},
        {"metrics": "metrics: [fid, psnr]"},
        {"slices": "slices: [{attribute: class}]"},
        {"task": "task: unconditional"},
    ],
)
def test_the_hash_covers_what_changes_numbers(load: Callable[..., Suite], change: dict[str, str]) -> None:
    assert load(**change).suite_hash != load().suite_hash


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "suite: another"},
        {"version": "version: 2"},
        {"description": "description: words"},
        {"alpha": "alpha: 5%"},
        {"report": "report: {formats: [csv], latency_budget: 50 ms}"},
        {"report": "report: {benchmarks: [{dataset: someone/fashion, task_id: fid, metric: fid}]}"},
        {"gates": "gates: [{metric: fid, candidate: student, test: limit, max: 5}]"},
        {"targets": "targets: {cpu: {batch_size: 64, device: cpu}} # the default, said aloud"},
    ],
)
def test_the_hash_leaves_out_what_changes_none(load: Callable[..., Suite], change: dict[str, str]) -> None:
    assert load(**change).suite_hash == load().suite_hash


def test_a_suite_is_frozen(load: Callable[..., Suite]) -> None:
    with pytest.raises(ValidationError):
        load().suite = "other"  # type: ignore[misc]


@pytest.mark.parametrize("content", [{}, {"relative": 0.1, "ratio": 1.1}, {"relative": -0.1}, {"ratio": 0.0}])
def test_a_margin_is_one_kind_and_makes_sense(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Margin.model_validate(content)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_limit_is_infinite(value: float) -> None:
    with pytest.raises(ValidationError):
        GateSpec(metric="fid", candidate="a", test="limit", max=value)


def test_a_gate_built_in_python_is_checked_too() -> None:
    with pytest.raises(ValidationError, match="non_inferiority without a margin"):
        GateSpec(metric="fid", candidate="a", against="b", test="non_inferiority")
