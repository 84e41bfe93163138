"""What the figures draw: the Pareto front, labels that do not overlap, and drawings that fit any theme."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from evalsuite.records import Interval
from evalsuite.reports._drawing import INK, Drawing, inline
from evalsuite.reports._figures import Point, figures, pareto, short, slug, tradeoff, tradeoff_points
from evalsuite.reports._models import Model
from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic


def point(index: int, latency: float, quality: float, name: str = "fid") -> Point:
    x, y = synthetic.measurement("latency_p50", "narrow"), synthetic.measurement(name, "narrow")
    model = Model(f"model-{index}", "student", index)
    around = Interval(low=quality - 0.1, high=quality + 0.1, level=0.95, method="t")
    return Point(
        model, x.model_copy(update={"value": latency, "interval": None}),
        y.model_copy(update={"value": quality, "interval": around}),
    )  # fmt: skip


def texts_of(picture: Drawing) -> list[str]:
    elements = ElementTree.fromstring(picture.svg).iter()
    return [element.text or "" for element in elements if element.tag.endswith("}text")]


def test_front_holds_whom_no_other_beats() -> None:
    points = [point(1, 1.0, 30.0), point(2, 2.0, 10.0), point(3, 3.0, 20.0), point(4, 4.0, 5.0)]
    assert [p.model.index for p in pareto(points)] == [1, 2, 4]


def test_front_of_a_metric_where_higher_is_better() -> None:
    values = {1.0: 7.0, 2.0: 6.0, 3.0: 8.0}
    points = [point(int(latency), latency, score, "inception_score") for latency, score in values.items()]
    assert [p.model.index for p in pareto(points)] == [1, 3]


@pytest.mark.parametrize("count", [1, 4, 10])
def test_all_models_are_named_even_where_points_coincide(count: int) -> None:
    picture = tradeoff([point(i, 0.01, 9.0) for i in range(1, count + 1)], "cpu", "x")
    assert {f"model-{i}" for i in range(1, count + 1)} <= set(texts_of(picture))


def test_inline_drawing_has_no_styles_and_takes_the_page_s_ink(inputs: ReportInputs) -> None:
    for picture in (*figures(inputs)[0], *figures(inputs)[1]):
        text = inline(picture)
        assert "style" not in text
        assert INK not in text
        assert "currentColor" in text
        assert "<metadata" not in text


def test_invalid_timings_are_named(inputs: ReportInputs) -> None:
    (tradeoffs, (picture,)) = figures(inputs)
    assert [p.model.name for p in tradeoff_points(inputs.record, "cpu") if p.latency.invalid] == ["narrow"]
    assert tradeoffs[0].alt.count("INVALID") == 1
    assert "INVALID" in texts_of(picture)
    assert "INVALID (rounds drift by 14 % (limit 10 %))" in picture.alt


def test_names_become_file_names() -> None:
    assert slug("../../Etc <x>") == "etc-x"
    assert slug("\u202e") == "x"


def test_long_names_are_cut() -> None:
    assert len(short("m" * 80)) == 28
