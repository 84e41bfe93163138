"""What is said of slices at a glance, and what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalsuite.records import Comparison, LevelCurve, LevelPoint, RelativeRobustness, Robustness, SliceRow
from evalsuite.reports._breaks import breaks
from evalsuite.reports._curves import level_axes, severity_figures
from evalsuite.reports._robustness import ratios, worst_slices
from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic


@pytest.fixture
def robust(inputs: ReportInputs) -> ReportInputs:
    """One slice of one student, its loss for its teacher's, and a curve that begins with the unchanged samples."""
    cell = synthetic.measurement("fid", "narrow", slice_id=synthetic.STRONGER)
    gap = synthetic.comparison("fid", "narrow", slice_id=synthetic.STRONGER)
    excess = gap.model_copy(update={"value": 0.25, "interval": synthetic.around(0.25, 0.1), "q_value": 0.03})
    row = SliceRow(
        cell=cell.identity, model="narrow", target="cpu", name="fid", slice=cell.slice, shift=excess, gap=gap,
        excess=excess,
    )  # fmt: skip
    lost = Comparison(
        name="fid",
        terms=[],
        scale="ratio",
        value=1.62,
        interval=synthetic.around(1.62, 0.2),
        q_value=0.001,
        better=False,
    )
    unknown = Comparison(name="kid", terms=[], scale="ratio", incomparable="the teacher loses nothing for certain")
    relative = [
        RelativeRobustness(model="narrow", target="cpu", name=one.name, over="latent", comparison=one)
        for one in (lost, unknown)
    ]
    levels = {1.0: "all", 1.1: synthetic.LATENT, 1.2: synthetic.STRONGER}
    points = [LevelPoint(slice=slice_id, level=level, value=1.0) for level, slice_id in levels.items()]
    curve = LevelCurve(model="narrow", target="cpu", name="fid", curve="latent.scale", points=points)
    found = Robustness(rows=[row], worst=[row], relative=relative, curves=[curve])
    return replace(inputs, robustness=found)


def test_the_worst_slice_is_named_with_its_gap(robust: ReportInputs) -> None:
    (worst,) = worst_slices(robust)
    assert (worst.model.name, worst.metric, worst.slice, worst.mark) == ("narrow", "FID", "latent.scale=1.2", "worse")
    assert worst.gap.startswith("+9.6 [")


def test_a_ratio_or_why_there_is_none(robust: ReportInputs) -> None:
    known, unknown = ratios(robust)
    assert (known.value, known.mark, known.chance) == ("×1.62 [1.42, 1.82]", "worse", "q = 0.001")
    assert unknown.absent == "the teacher loses nothing for certain"


def test_what_a_slice_costs_more_than_the_teacher_stands_in_its_row(robust: ReportInputs) -> None:
    rows, _ = breaks(robust)
    told = [row.excess for row in rows if row.excess]
    assert told == ["+0.25 [+0.15, +0.35] q = 0.030"]


def test_curves_begin_with_the_unchanged_samples(robust: ReportInputs) -> None:
    assert level_axes(robust) == {"latent.scale": {1.0: "all", 1.1: "latent.scale=1.1", 1.2: "latent.scale=1.2"}}
    (figure,) = severity_figures(robust)
    assert "teacher: 9.385 at 1, 14.33 at 1.1, 18.46 at 1.2" in figure.alt


def test_without_slices_nothing_is_said(inputs: ReportInputs) -> None:
    assert worst_slices(inputs) == ratios(inputs) == []
