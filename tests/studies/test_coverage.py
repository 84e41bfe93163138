"""A small version of the study: intervals cover, gates raise few false alarms, closed forms are right."""

from __future__ import annotations

import numpy as np
import pytest
import typer

from evalsuite import plugins
from tests.studies import coverage

REPETITIONS = 80


@pytest.fixture(scope="module")
def rows() -> list[coverage.Row]:
    found = [coverage.repetition("skewed", 10, coverage.METRICS, False, seed) for seed in range(REPETITIONS)]
    return [coverage.row_of("skewed", 10, asked, same) for (_, asked), same in coverage.by_question(found).items()]


def test_intervals_hold_what_they_should(rows: list[coverage.Row]) -> None:
    intervals = [row for row in rows if "gate" not in row.asked]
    assert len(intervals) >= 3 * 9
    # Of 80 repetitions at 95 %, one row in 10,000 has fewer than 84 %.
    assert [row for row in intervals if row.share < 0.84] == []


def test_gates_rarely_give_a_false_alarm(rows: list[coverage.Row]) -> None:
    gates = [row for row in rows if "gate" in row.asked]
    assert {row.asked for row in gates} == {"A/A gate", "gate at its relative margin"}
    # At 1 %, five in 80 are as rare.
    assert [row for row in gates if row.share > 5 / REPETITIONS] == []


def test_a_study_can_find_an_interval_that_does_not_hold() -> None:
    outcomes = [coverage.Outcome("psnr", "mean", "value", v, v - 0.01, v + 0.01) for v in np.linspace(2, 6, 50)]
    assert coverage.row_of("normal", 5, "value", outcomes).share < 0.1


@pytest.mark.parametrize("world", coverage.WORLDS)
@pytest.mark.parametrize("name", ["fid_debiased", "kid"])
def test_closed_forms_are_what_many_samples_come_to(world: str, name: str) -> None:
    random = np.random.default_rng(5)
    noise = coverage.noise_of(world, random, 4000)
    draw = coverage.Draw.of(coverage.STUDENT, noise, random.uniform(size=len(noise)))
    estimate = plugins.find("metrics", name)().compute(coverage.inputs_of(draw, world))[""]
    interval = coverage.interval_of(estimate, level=0.999)
    assert interval.low < coverage.truth_of(name, world, coverage.STUDENT) < interval.high


def test_parts_of_the_study_are_the_same_repetitions(rows: list[coverage.Row]) -> None:
    found = [coverage.repetition("skewed", 10, ["kid", "psnr"], True, seed) for seed in range(REPETITIONS)]
    part = [coverage.row_of("skewed", 10, asked, same) for (_, asked), same in coverage.by_question(found).items()]
    assert part == [row for row in rows if row.metric in ("kid", "psnr") and row.asked == "value"]


def test_tables_have_a_line_a_metric_and_a_column_a_population(rows: list[coverage.Row]) -> None:
    lines = coverage.table(rows, "difference").splitlines()
    assert lines[0] == "| metric | family | skewed, 10 |"
    assert len(lines) == 2 + len({row.metric for row in rows})


def test_a_table_takes_the_place_of_the_last_one_and_of_nothing_else() -> None:
    empty = "before\n<!-- value -->\n<!-- end of value -->\nafter\n"
    filled = coverage.placed(empty, "value", "| a | 1 |\n| b | 2 |")
    assert filled == "before\n<!-- value -->\n| a | 1 |\n| b | 2 |\n<!-- end of value -->\nafter\n"
    assert coverage.placed(filled, "value", "| b | 3 |") == filled.replace("2", "3")
    with pytest.raises(typer.BadParameter, match="expected <!-- other -->"):
        coverage.placed(empty, "other", "| a |")
