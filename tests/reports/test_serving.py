"""Figures of requests and frames by the clock: which are drawn, and what they say in words."""

from __future__ import annotations

import pytest

from evalsuite.records import Family, Interval, Measurement, RunRecord
from evalsuite.reports._serving import serving_figures

MODELS = {"teacher": 4.0, "student": 1.0}


def cell(model: str, metric: str, value: float, scenario: str, name: str = "", invalid: str = "") -> Measurement:
    unit = {"server_rate": "requests/s", "deadline_misses": ""}.get(metric, "s")
    return Measurement(
        name=name or metric, metric=metric, case_key=f"{model}@cpu/all", model=model,
        role="teacher" if model == "teacher" else "student", target="cpu", slice="all", against="none", value=value,
        unit=unit, family=Family.LATENCY, n=12, protocol={"scenario": scenario}, invalid=invalid,
        interval=Interval(low=0.9 * value, high=1.1 * value, level=0.95, method="signed rank"),
    )  # fmt: skip


def words(*cells: Measurement) -> dict[str, str]:
    record = RunRecord(suite={}, suite_hash="", environment={}, provenance={}, measurements=list(cells))
    return {figure.title: figure.alt for figure in serving_figures(record, "cpu", "1-cpu")}


def rates(*percentiles: int) -> list[Measurement]:
    return [
        cell(model, "server_latency", slow * p * rate * 1e-6, f"server:rate={rate}", f"at-{rate}_p{p}")
        for model, slow in MODELS.items()
        for rate in (20, 80)
        for p in percentiles
    ]


def test_response_times_are_drawn_over_the_rate() -> None:
    (title, said), *rest = words(*rates(50, 99)).items()
    assert title == "Response times by the rate of requests on cpu"
    assert "p99 of teacher: 7.92 ms at 20, 31.68 ms at 80; p99 of student: 1.98 ms at 20, 7.92 ms at 80" in said
    assert "p50" not in said
    assert not rest


def test_a_search_says_which_percentile_counts_and_where_its_bound_is_reached() -> None:
    found = cell("student", "server_rate", 178.7, "server_search:bound=0.05,percentile=50")
    (said,) = words(*rates(50, 99), found).values()
    assert "p50 of student: 1 ms at 20, 4 ms at 80, at most 178.7 requests/s within 50 ms" in said
    assert "p99" not in said


def test_a_search_alone_is_of_the_percentile_that_scenarios_have_by_themselves() -> None:
    (said,) = words(cell("teacher", "server_rate", 24.0, "server_search:bound=0.05", invalid="held up")).values()
    assert "p99 of teacher: at most 24 requests/s within 50 ms (INVALID)" in said


def test_a_single_rate_is_left_to_its_distribution() -> None:
    assert not words(cell("teacher", "server_latency", 0.02, "server:rate=20", "server_latency_p99"))


def test_frames_have_a_panel_for_each_metric() -> None:
    late = [cell("teacher", "deadline_misses", share, f"realtime:fps={fps}", f"late-{fps}")
            for share, fps in ((0.0, 30), (0.75, 120), (0.5, 60))]  # fmt: skip
    (title, said), *rest = words(*late, cell("student", "longest_stall", 0.0173, "realtime:fps=60")).items()
    assert title == "Frames by the clock on cpu"
    assert "Deadline misses, share of frames: teacher: 0 at 30, 0.5 at 60, 0.75 at 120." in said
    assert "Longest stall [ms]: student: 17.3 at 60." in said
    assert not rest


@pytest.mark.parametrize(
    "scenario", ["", "server", "server:rate=", "server:rate=nan", "realtime:fps=-1", "x:bound=<b>"]
)
@pytest.mark.parametrize("metric", ["server_latency", "server_rate", "deadline_misses"])
def test_scenarios_without_a_sensible_rate_are_left_out(metric: str, scenario: str) -> None:
    assert not words(cell("teacher", metric, 1.0, scenario, f"{metric}_p50"))
