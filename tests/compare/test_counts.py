"""Exact numbers, such as parameters: ratios without chance, and gates that are always decided."""

from __future__ import annotations

from typing import Any

import pytest

from evalsuite.compare.difference import difference
from evalsuite.compare.gate import judge
from tests.compare.inputs import of_count, record

TEACHER = of_count(4e6, model="teacher", role="teacher")


def test_two_counts_have_an_exact_ratio():
    found = difference(of_count(1e6), TEACHER)
    assert (found.value, found.scale, found.better, found.p_value) == (0.25, "ratio", True, None)
    assert found.interval.exact
    assert found.note == "no p-value: exact numbers"


def test_equal_counts_are_neither_better_nor_worse():
    assert difference(of_count(4e6), TEACHER).better is None


def test_there_is_no_ratio_to_nothing():
    found = difference(of_count(1e6), of_count(0.0, model="teacher"))
    assert found.incomparable == "num_parameters of teacher@cpu/all is 0, and there is no ratio to it"


@pytest.mark.parametrize(
    ("fields", "count", "outcome"),
    [
        ({"test": "limit", "max": 1e6}, 1e6, "pass"),
        ({"test": "limit", "max": 1e6}, 1e6 + 1, "fail"),
        ({"test": "limit", "min": 1e6}, 1e6, "pass"),
        ({"test": "limit", "min": 1e6}, 1e6 - 1, "fail"),
        ({"test": "non_inferiority", "margin": {"relative": 0.25}}, 5e6, "pass"),
        ({"test": "non_inferiority", "margin": {"relative": 0.25}}, 5e6 + 1, "fail"),
        ({"test": "superiority"}, 4e6 - 1, "pass"),
        ({"test": "superiority"}, 4e6, "fail"),
        ({"test": "superiority", "margin": {"ratio": 0.5}}, 1e6, "pass"),
        ({"test": "equivalence", "margin": {"relative": 0.1}}, 4e6, "pass"),
        ({"test": "no_regression"}, 4e6, "pass"),
        ({"test": "no_regression"}, 4e6 + 1, "fail"),
    ],
)
def test_gates_are_exact(fields: dict[str, Any], count: float, outcome: str):
    against = {} if fields["test"] == "limit" else {"against": "teacher"}
    gate = {"metric": "num_parameters", "candidate": "student", **against, **fields}
    (verdict,) = judge(record(TEACHER, of_count(count), gates=[gate]), {})
    assert verdict.outcome == outcome
    assert (verdict.p_fail, verdict.p_pass) == (None, None)
    assert "processes" not in verdict.reason


def test_a_reason_names_the_count_in_a_readable_unit():
    gate = {"metric": "num_parameters", "candidate": "student", "test": "limit", "max": 2e6}
    (verdict,) = judge(record(of_count(1_784_000.0), gates=[gate]), {})
    assert verdict.reason == "num_parameters of student is 1.784 million (exact): it is at most 2 million."
