"""The shades, marks and reasons of the heat maps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalsuite.records import Interval
from evalsuite.reports._heatmap import SHADES, Panel, heat_maps
from evalsuite.reports._models import kind_of, label_of
from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic


def panels(inputs: ReportInputs) -> dict[str, Panel]:
    _, found = heat_maps(inputs)
    return {panel.title: panel for panel in found.panels}


def test_a_map_for_each_kind_of_slice(inputs: ReportInputs) -> None:
    latent, classes = heat_maps(inputs)
    assert (latent.kind, latent.subset, classes.kind, classes.subset) == ("latent", False, "class", True)
    assert [(name, slice_id) for name, slice_id, _ in latent.panels[0].rows] == [
        ("scale=1.1", synthetic.LATENT), ("scale=1.2", synthetic.STRONGER),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("slice_id", "kind", "label"),
    [
        ("class=sneaker", "class", "sneaker"),
        ("latent.scale=1.1", "latent", "scale=1.1"),
        ("class=bag&guidance=2.5", "class & guidance", "bag & 2.5"),
        ("empty", "empty", "empty"),
    ],
)
def test_slices_have_a_kind_and_a_label(slice_id: str, kind: str, label: str) -> None:
    assert (kind_of(slice_id), label_of(slice_id)) == (kind, label)


def test_one_panel_a_metric_that_has_values_and_reasons_for_the_rest(inputs: ReportInputs) -> None:
    _, found = heat_maps(inputs)
    assert [panel.title for panel in found.panels] == ["KID", "Class accuracy", "PSNR", "SSIM"]
    assert [(absence.text, absence.titles) for absence in found.absent] == [
        (synthetic.REFUSED, ["FID", "FID debiased"])
    ]


def test_columns_are_students_and_rows_are_classes(inputs: ReportInputs) -> None:
    panel = panels(inputs)["KID"]
    assert [model.name for model in panel.models] == ["student-4step", "student-1step", "narrow"]
    assert [name for name, _, _ in panel.rows][:2] == ["t-shirt", "trouser"]


def test_worse_is_negative_whatever_the_metric_s_direction(inputs: ReportInputs) -> None:
    found = panels(inputs)
    lower_is_better = [tiles[1] for _, _, tiles in found["KID"].rows]
    assert all(tile.text.startswith("+") and tile.shade < 0 and tile.mark == "worse" for tile in lower_is_better)
    higher_is_better = [tile for _, _, tiles in found["Class accuracy"].rows for tile in tiles]
    assert all((tile.shade <= 0) == (not tile.text.startswith("+")) for tile in higher_is_better if tile.shade)


def test_differences_of_exactly_zero_take_no_digits_from_the_others(inputs: ReportInputs) -> None:
    none = Interval(low=0.0, high=0.0, level=0.95, method="t")
    alike = [
        one.model_copy(update={"value": 0.0, "interval": none})
        if one.name == "kid" and one.terms[0].identity.case_key.partition("=")[2] not in ("bag", "shirt")
        else one
        for one in inputs.comparisons
    ]
    rows = {name: tiles for name, _, tiles in panels(replace(inputs, comparisons=alike))["KID"].rows}
    assert float(rows["bag"][1].text) > 0
    assert "." in rows["coat"][1].text


def test_likeness_is_shaded_from_least_to_most(inputs: ReportInputs) -> None:
    tiles = [tile for _, _, row in panels(inputs)["PSNR"].rows for tile in row]
    assert {min(tile.shade for tile in tiles), max(tile.shade for tile in tiles)} == {0, SHADES}


def test_a_missing_tile_shows_its_kind_and_reason(inputs: ReportInputs) -> None:
    gone = synthetic.missing("kid", "narrow", "class=bag", "the process was killed", "failed")
    kept = [m for m in inputs.record.measurements if m.identity != gone.identity]
    record = inputs.record.model_copy(update={"measurements": kept, "missing": [*inputs.record.missing, gone]})
    broken = replace(inputs, record=record)
    rows = {name: tiles for name, _, tiles in panels(broken)["KID"].rows}
    assert (rows["bag"][2].text, rows["bag"][2].details) == ("failed", "failed: the process was killed")
    assert rows["bag"][2].absent
    _, found = heat_maps(broken)
    assert (found.absent[0].text, found.absent[0].cells) == (gone.reason, [gone.case_key])
