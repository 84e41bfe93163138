"""The suite of a record: as it was resolved, or refused in the words that a suite file gets."""

from __future__ import annotations

from typing import Any

import pytest

from evalsuite.errors import RecordError
from evalsuite.suite.recorded import recorded_suite
from tests.compare.inputs import record


def test_a_suite_comes_back_as_it_was_resolved() -> None:
    made = record()
    assert recorded_suite(made).model_dump(mode="json") == made.suite


def test_each_problem_has_its_place() -> None:
    made = record()
    changes: dict[str, Any] = {"task": "class_conditionl", "sampling": {"num_samples": 0}, "wings": 2}
    broken = made.model_copy(update={"suite": made.suite | changes, "environment": {"evalsuite": "0.0.7"}})
    with pytest.raises(RecordError) as caught:
        recorded_suite(broken, "runs/a/record.json")
    *problems, advice = str(caught.value).splitlines()
    sampling, task, wings = sorted(problems)
    assert sampling == "runs/a/record.json: suite.sampling.num_samples: found 0, expected at least 1"
    assert task.startswith("runs/a/record.json: suite.task: found 'class_conditionl', expected unconditional, ")
    assert task.endswith(" (did you mean 'class_conditional'?)")
    assert wings.startswith("runs/a/record.json: suite.wings: found key 'wings', expected a key: suite, ")
    assert "another version of evalsuite (0.0.7 made the run); run the suite again" in advice
