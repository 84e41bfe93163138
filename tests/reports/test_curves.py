"""Which slices make a curve, and what it says in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalsuite.reports._curves import curve_chart, numeric_axes, severity_figures
from evalsuite.reports.contract import ReportInputs


def test_axes_are_slices_with_several_numbers() -> None:
    ids = ["class=3", "class=bag", "guidance=2.5", "guidance=1", "latent.scale=1.1", "guidance=4&class=2", "x=nan"]
    assert numeric_axes(ids) == {"guidance": {1.0: "guidance=1", 2.5: "guidance=2.5"}}


def test_one_axis_makes_one_figure_of_all_metrics(inputs: ReportInputs) -> None:
    (figure,) = severity_figures(inputs)
    assert figure.title == "By latent.scale on cpu"
    assert "FID ↓ (lower is better), teacher: 14.33 at 1.1, 18.46 at 1.2" in figure.alt
    assert "PSNR ↑ (higher is better), student-4step: " in figure.alt


def test_the_chart_has_the_same_lines_in_the_units_of_their_metrics(inputs: ReportInputs) -> None:
    content = curve_chart(inputs)
    assert (content["axes"], content["targets"]) == (["latent.scale"], ["cpu"])
    assert [metric["title"] for metric in content["metrics"]][:3] == ["FID", "FID debiased", "KID"]
    lines = {(line["metric"], line["model"]): line["points"] for line in content["lines"]}
    assert ("psnr", "teacher") not in lines
    cells = [m for m in inputs.record.measurements if (m.name, m.model) == ("class_accuracy", "narrow")]
    by_slice = {m.slice: m for m in cells}
    for (level, value, low, high, invalid), slice_id in zip(
        lines["class_accuracy", "narrow"], ("latent.scale=1.1", "latent.scale=1.2"), strict=True
    ):
        m = by_slice[slice_id]
        assert m.interval is not None
        assert (f"{level:g}", invalid) == (slice_id.partition("=")[2], 0)
        assert [value, low, high] == pytest.approx([100 * x for x in (m.value, m.interval.low, m.interval.high)], 1e-5)


def test_without_levels_there_is_no_chart(inputs: ReportInputs) -> None:
    whole = [m for m in inputs.record.measurements if m.slice == "all"]
    assert curve_chart(replace(inputs, record=inputs.record.model_copy(update={"measurements": whole}))) == {}


def test_several_axes_make_a_figure_for_each_metric(inputs: ReportInputs) -> None:
    record = inputs.record
    copies = [
        m.model_copy(update={"slice": m.slice.replace("latent.scale", "fog"), "name": m.name, "case_key": "x"})
        for m in record.measurements
        if m.slice.startswith("latent.") and m.name == "fid"
    ]
    both = replace(inputs, record=record.model_copy(update={"measurements": [*record.measurements, *copies]}))
    titles = [figure.title for figure in severity_figures(both)]
    assert titles[0] == "FID by severity on cpu"
    assert len(titles) == 9
