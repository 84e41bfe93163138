"""Figures of timings: what they say in words, by scenario."""

from __future__ import annotations

import pytest

from evalsuite.reports._drawing import Drawing
from evalsuite.reports._sessions import scenario_title, sessions
from evalsuite.reports._speed import speed_figures
from evalsuite.reports.contract import ReportInputs


@pytest.fixture(scope="module")
def figures(inputs: ReportInputs) -> dict[str, Drawing]:
    return {figure.title: figure for figure in speed_figures(inputs.record)["cpu"]}


def test_a_figure_for_each_question(figures: dict[str, Drawing]) -> None:
    assert list(figures) == [
        "Single stream on cpu, batch of 1", "Stages on cpu", "Cold start on cpu", "Peak memory on cpu",
        "Throughput by batch size on cpu",
    ]  # fmt: skip


def test_the_distribution_says_what_is_invalid(figures: dict[str, Drawing]) -> None:
    words = figures["Single stream on cpu, batch of 1"].alt
    assert "teacher (VALID): median 71." in words
    assert "narrow (INVALID, rounds drift by 14 % (limit 10 %))" in words


def test_stages_are_parts_of_a_call(figures: dict[str, Drawing]) -> None:
    words = figures["Stages on cpu"].alt
    assert "teacher (VALID): text_encoder 2.8" in words
    assert words.count("denoise") == 4


def test_what_lies_beside_the_stages_is_no_part_of_the_call(inputs: ReportInputs) -> None:
    stages = [one for one in inputs.record.timings if one.scenario == "stages"]
    beside = [
        stages[0].model_copy(update={"series": name, "values": [[9.0]] * 12, "unit": "" if name == "waiting" else "s"})
        for name in ("", "plain", "denoise_step", "clock", "waiting")
    ]
    (figure,) = speed_figures(inputs.record.model_copy(update={"timings": [*stages, *beside]}))["cpu"]
    told = figure.alt.partition("; ")[0]
    assert [part.split()[0] for part in told.partition("): ")[2].split(", ")] == [
        "text_encoder", "denoise", "decode", "rest",
    ]  # fmt: skip


def test_energy_is_told_by_part(inputs: ReportInputs) -> None:
    parts = {"": 0.5, "package-0": 0.4, "dram": 0.1, "clock": 9.0}
    timings = [
        inputs.record.timings[0].model_copy(update={
            "scenario": "energy", "series": part, "unit": "J", "values": [[joules]] * 12
        })
        for part, joules in parts.items()
    ]  # fmt: skip
    (figure,) = speed_figures(inputs.record.model_copy(update={"timings": timings}))["cpu"]
    assert figure.title == "Energy on cpu"
    assert "teacher (VALID): package-0 400.00 mJ, dram 100.00 mJ." in figure.alt


def test_frames_are_told_by_when_they_are_due(inputs: ReportInputs) -> None:
    seconds = [[0.010, 0.020, 0.040, 0.050]] * 12
    update = {"scenario": "realtime:fps=60", "values": seconds}
    record = inputs.record.model_copy(update={"timings": [inputs.record.timings[0].model_copy(update=update)]})
    (figure,) = speed_figures(record)["cpu"]
    assert "median 30.00 ms, p90 50.00 ms, 75% late" in figure.alt
    assert "when a frame is due" in figure.caption


def test_the_sweep_names_each_batch_size(figures: dict[str, Drawing]) -> None:
    assert "teacher by batch size 1: 14" in figures["Throughput by batch size on cpu"].alt
    assert ", 32: " in figures["Throughput by batch size on cpu"].alt


def test_peaks_are_told_by_stage(figures: dict[str, Drawing]) -> None:
    assert "teacher (VALID): peak 92.7 MB, load 4" in figures["Peak memory on cpu"].alt


def test_series_of_a_scenario_belong_together(inputs: ReportInputs) -> None:
    timed = sessions(inputs.record)["cpu"]["stages"]
    assert [one.model.name for one in timed] == ["teacher", "student-4step", "student-1step", "narrow"]
    assert set(timed[0].series) == {"text_encoder", "denoise", "decode", "rest"}
    assert not len(timed[0].values)


@pytest.mark.parametrize(
    ("scenario", "title"),
    [
        ("single_stream", "Single stream"),
        ("server:rate=20", "Server, rate 20"),
        ("offline:batch_size=4", "Offline, batch size 4"),
    ],
)
def test_scenarios_read_as_words(scenario: str, title: str) -> None:
    assert scenario_title(scenario) == title
