"""Which numbers of a run are quality and price, and which models form a curve."""

from __future__ import annotations

from typing import Any

import pytest

from evalsuite.compare.tradeoffs import curves, tradeoffs
from evalsuite.records import Measurement, RunRecord
from evalsuite.suite.schema import Suite
from tests.compare.inputs import of_processes, of_rounds, of_samples, record
from tests.compare.test_pareto import BASE, ROUNDS


def cells(model: str, gain: float, seconds: float, target: str = "cpu") -> list[Measurement]:
    """Quality, latency and memory of one case."""
    place: dict[str, Any] = {"model": model, "target": target}
    return [
        of_samples(BASE + gain, name="sharpness", metric="sharpness", **place),
        of_rounds(0.9 * seconds * ROUNDS, name="latency_mean", metric="latency", **place),
        of_rounds(seconds * ROUNDS, metric="latency", **place),
        of_processes([1e8 * seconds] * 3, **place),
    ]


def run(*groups: list[Measurement], budget: float | None = None) -> RunRecord:
    made = record(*(cell for group in groups for cell in group))
    suite = {**made.suite, "targets": {"cpu": {"device": "cpu"}, "edge": {"device": "cpu"}}}
    return made.model_copy(update={"suite": suite | {"report": {"latency_budget": budget}}})


def test_a_front_for_each_price_and_target_and_one_over_all_targets():
    found = tradeoffs(run(cells("teacher", 2, 1.0), cells("student", 0, 0.1), cells("student", -1, 0.4, "edge")))
    assert [(front.price, front.target) for front in found.fronts] == [
        ("latency_p50", "cpu"), ("latency_p50", "edge"), ("latency_p50", None),
        ("peak_memory", "cpu"), ("peak_memory", "edge"), ("peak_memory", None),
    ]  # fmt: skip
    assert {front.quality for front in found.fronts} == {found.quality} == {"sharpness"}
    assert found.prices == ["latency_p50", "peak_memory"]
    everywhere = {standing.case_key: standing.place for standing in found.fronts[2].standings}
    assert everywhere == {"student@cpu/all": "on", "student@edge/all": "off", "teacher@cpu/all": "on"}
    assert found.choices == []


def test_fid_is_the_quality_wherever_the_suite_has_it():
    fid = [
        of_samples(-BASE - gain, name="fid", metric="fid", higher_is_better=False, model=model)
        for model, gain in (("teacher", 2), ("student", 0))
    ]
    found = tradeoffs(run(cells("teacher", 2, 1.0), cells("student", 0, 0.1), fid))
    assert [found.quality, *(front.quality for front in found.fronts)] == ["fid", "fid", "fid"]


def test_likeness_to_the_teacher_is_no_quality():
    psnr = of_samples(BASE, model="student").model_copy(update={"against": "teacher@cpu/all"})
    latency = of_rounds(ROUNDS, model="student", metric="latency")
    found = tradeoffs(run([psnr, latency]))
    assert (found.quality, found.prices, found.fronts) == ("", ["latency_p50"], [])


def test_a_share_that_was_timed_is_no_quality():
    misses = of_samples(
        abs(BASE), name="deadline_misses", metric="deadline_misses", higher_is_better=False,
        protocol={"scenario": "realtime:fps=20"},
    )  # fmt: skip
    assert tradeoffs(run([misses, *cells("student", 0, 1)[1:]])).fronts == []


def test_a_budget_gives_a_choice_on_each_target():
    teacher, student = cells("teacher", 2, 1.0), cells("student", 0, 0.1)
    (choice,) = tradeoffs(run(teacher, student, budget=0.5)).choices
    assert (choice.target, choice.best, choice.beyond) == ("cpu", "student@cpu/all", ["teacher@cpu/all"])


def test_a_run_without_timings_has_no_tradeoffs():
    found = tradeoffs(run(cells("student", 0, 1)[:1], budget=0.5))
    assert (found.quality, found.prices, found.fronts, found.choices) == ("sharpness", [], [], [])


def suite(models: dict[str, dict[str, Any]]) -> Suite:
    roles = {name: {"role": "student", "adapter": "zoo", "settings": settings} for name, settings in models.items()}
    return Suite.model_validate({**record().suite, "models": roles})


@pytest.mark.parametrize(
    ("models", "lines"),
    [
        ({"t16": {"name": "t", "num_steps": 16}, "t4": {"name": "t", "num_steps": 4}}, [["t4", "t16"]]),
        ({"a": {"name": "a", "num_steps": 16}, "b": {"name": "b", "num_steps": 4}}, []),
        ({"a": {"name": "a", "num_steps": 16}, "b": {"name": "a"}}, []),
        ({"a": {"num_steps": 1}, "b": {"num_steps": 2, "scale": 2}, "c": {"num_steps": 3, "scale": 2}}, [["b", "c"]]),
    ],
)
def test_models_that_differ_in_steps_alone_form_a_curve(models: dict[str, Any], lines: list[list[str]]):
    found = curves(suite(models))
    assert [curve.models for curve in found] == lines
    assert all(curve.num_steps == sorted(curve.num_steps) for curve in found)
