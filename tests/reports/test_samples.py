"""Which samples are hung beside each other, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalsuite.reports._assets import Assets
from evalsuite.reports._samples import Wall, subset_slices, walls
from evalsuite.reports.contract import ReportInputs


@pytest.fixture
def wall(inputs: ReportInputs) -> Wall:
    (found,) = walls(inputs, Assets("beside"))
    return found


def test_what_is_drawn_shows_every_model_on_the_same_samples(wall: Wall) -> None:
    (strip,) = wall.drawn
    assert [column.sample_id for column in strip.columns] == list(range(10))
    assert [row.model.name for row in strip.rows if row.model] == [
        "teacher", "student-4step", "student-1step", "narrow",
    ]  # fmt: skip
    assert all(shot.address.startswith("gallery/") for row in strip.rows for shot in row.shots)


def test_extremes_stand_beside_the_teacher_s(wall: Wall) -> None:
    titles = [strip.title for strip in wall.extremes]
    assert titles[0] == "teacher: the samples that cost the most FID"
    assert "narrow: worst by PSNR" in titles
    strip = wall.extremes[titles.index("narrow: worst by PSNR")]
    assert [row.model.name for row in strip.rows if row.model] == ["teacher", "narrow"]
    assert "PSNR" in strip.rows[1].shots[0].facts
    assert "to FID" in strip.rows[1].shots[0].facts


def test_samples_know_their_slices(inputs: ReportInputs, wall: Wall) -> None:
    names = subset_slices(inputs.record)
    (strip,) = wall.drawn
    assert [names[column.within[0]] for column in strip.columns][7] == "class=sneaker"


def test_what_belongs_to_samples_has_rows_of_its_own(inputs: ReportInputs) -> None:
    first = [p for p in inputs.record.gallery if p.case_key == "teacher@cpu/all"]
    made = [p.model_copy(update={"shows": shows}) for p in first for shows in ("input", "truth", "nearest")]
    record = inputs.record.model_copy(update={"gallery": [*inputs.record.gallery, *made]})
    (found,) = walls(replace(inputs, record=record), Assets("beside"))
    assert [row.what for row in found.drawn[0].rows][:3] == ["made from", "should be", ""]
    nearest = found.extremes[0].rows[-1]
    assert (nearest.what, nearest.model and nearest.model.name) == ("nearest of the reference", "teacher")


def test_the_same_picture_is_one_file(inputs: ReportInputs) -> None:
    assets = Assets("beside")
    walls(inputs, assets)
    assert len(assets.files) == len({picture.sha256 for picture in inputs.record.gallery}) == 40


def test_pictures_inside_the_page_are_no_files(inputs: ReportInputs) -> None:
    assets = Assets("inside")
    (found,) = walls(inputs, assets)
    assert found.drawn[0].rows[0].shots[0].address.startswith("data:image/png;base64,")
    assert assets.files == {}
