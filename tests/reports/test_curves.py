"""Which slices make a curve, and what it says in words."""

from __future__ import annotations

from dataclasses import replace

from evalsuite.reports._curves import numeric_axes, severity_figures
from evalsuite.reports.contract import ReportInputs


def test_axes_are_slices_with_several_numbers() -> None:
    ids = ["class=3", "class=bag", "guidance=2.5", "guidance=1", "latent.scale=1.1", "guidance=4&class=2", "x=nan"]
    assert numeric_axes(ids) == {"guidance": {1.0: "guidance=1", 2.5: "guidance=2.5"}}


def test_one_axis_makes_one_figure_of_all_metrics(inputs: ReportInputs) -> None:
    (figure,) = severity_figures(inputs)
    assert figure.title == "By latent.scale on cpu"
    assert "FID ↓ (lower is better), teacher: 14.33 at 1.1, 18.46 at 1.2" in figure.alt
    assert "PSNR ↑ (higher is better), student-4step: " in figure.alt


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
