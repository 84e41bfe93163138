"""A small version of the study of gates: its populations are what they claim, and its answers are of the right kind."""

from __future__ import annotations

import pytest

from tests.studies import gates
from tests.studies.coverage import TEACHER, WORLDS, frechet, reference_of


@pytest.mark.parametrize("world", WORLDS)
def test_the_planted_regression_is_ten_per_cent(world: str) -> None:
    before, after = (frechet(population, reference_of(world)) for population in (TEACHER, gates.regressed(world)))
    assert after == pytest.approx(1.1 * before)


def test_four_gates_rarely_fail_what_has_not_changed() -> None:
    # At 1 %, four in 40 happen in one of 2000 studies.
    assert sum(gates.false_alarm("normal", 160, seed) for seed in range(40)) < 4


def test_a_regression_is_found_about_as_often_as_planned() -> None:
    answers = [gates.regression_found("normal", 1600, seed) for seed in range(12)]
    found, planned = (sum(values) / len(answers) for values in zip(*answers, strict=True))
    assert abs(found - planned) < 0.4


def test_a_run_ends_with_one_of_the_outcomes() -> None:
    outcomes = {gates.at_margin("skewed", seed) for seed in range(4)} | {gates.equal("skewed", 0)}
    assert outcomes <= {"pass", "fail", "inconclusive"}


def test_the_effect_of_the_plan_is_found_in_four_of_five_runs() -> None:
    assert gates.predicted_power(2.0, 2.0) == pytest.approx(0.8)


def test_the_table_has_a_line_a_question() -> None:
    rates = [gates.Rate("a", "at most 1%", 0.01, 100), gates.Rate("b", "", 0.5, 100)]
    assert gates.table(rates).splitlines()[2:] == ["| a | at most 1% | 1.0 % ± 1.0 |", "| b |  | 50.0 % ± 5.0 |"]
