"""One entry for each combination of values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalsuite.errors import SuiteError
from evalsuite.suite.schema import Suite

SWEEP = """models:
  teacher: {{role: teacher, adapter: zoo, name: fashion-teacher}}
  {entry}"""


def test_each_value_makes_a_model(load: Callable[..., Suite]) -> None:
    entry = "'sweep-{num_steps}': {role: student, adapter: zoo, name: fashion-teacher, matrix: {num_steps: [4, 8, 16]}}"
    suite = load(models=SWEEP.format(entry=entry))
    assert list(suite.models) == ["teacher", "sweep-4", "sweep-8", "sweep-16"]
    assert [m.settings["num_steps"] for m in suite.models.values()][1:] == [4, 8, 16]


def test_two_axes_make_all_combinations_the_last_running_fastest(load: Callable[..., Suite]) -> None:
    entry = (
        "'{num_steps}steps-g{guidance_scale}': {role: student, adapter: zoo, name: fashion-teacher, "
        "matrix: {num_steps: [4, 8], guidance_scale: [1.0, 1.5]}}"
    )
    suite = load(models=SWEEP.format(entry=entry))
    assert list(suite.models)[1:] == ["4steps-g1.0", "4steps-g1.5", "8steps-g1.0", "8steps-g1.5"]


def test_targets_have_a_matrix_too_and_braces_need_no_quotes_in_block_style(load: Callable[..., Suite]) -> None:
    suite = load(targets="targets:\n  cpu-{threads}: {device: cpu, matrix: {threads: [1, 2]}}")
    assert {name: target.settings["threads"] for name, target in suite.targets.items()} == {"cpu-1": 1, "cpu-2": 2}


@pytest.mark.parametrize("values", ["[]", "[4, 4]", "{a: 1}", ""])
def test_an_axis_is_a_list_of_different_values(load: Callable[..., Suite], values: str) -> None:
    entry = (
        f"'s-{{num_steps}}': {{role: student, adapter: zoo, name: fashion-teacher, matrix: {{num_steps: {values}}}}}"
    )
    with pytest.raises(SuiteError, match=r"matrix\.num_steps"):
        load(models=SWEEP.format(entry=entry))


def test_a_value_that_makes_a_bad_name_is_refused(load: Callable[..., Suite]) -> None:
    entry = "'s-{name}': {role: student, adapter: zoo, matrix: {name: [../fashion-4step]}}"
    with pytest.raises(SuiteError, match="letters, digits"):
        load(models=SWEEP.format(entry=entry))
