"""What the trade-offs draw: the front of what no other beats, names that do not overlap, and figures for any theme."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from evalsuite.records import Curve, Front, Interval, Standing, Tradeoffs
from evalsuite.reports._drawing import INK, Drawing
from evalsuite.reports._models import Model, short, slug
from evalsuite.reports._tradeoff import (
    Point,
    chart,
    pareto,
    tradeoff,
    tradeoff_figures,
)
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
    picture = tradeoff({"latency_p50": [point(i, 0.01, 9.0) for i in range(1, count + 1)]}, "cpu", "x")
    assert {f"model-{i}" for i in range(1, count + 1)} <= set(texts_of(picture))


def test_the_ink_of_a_figure_follows_the_reader_s_theme(inputs: ReportInputs) -> None:
    (picture,) = tradeoff_figures(inputs)
    text = picture.svg.decode()
    assert text.count(INK) == 1
    assert text.index(f'color="{INK}"') < text.index("prefers-color-scheme: dark") < text.index("currentColor")


def test_a_panel_for_each_price_that_was_measured(inputs: ReportInputs) -> None:
    (picture,) = tradeoff_figures(inputs)
    assert picture.title == "FID against latency p50 and peak memory on cpu"
    assert "By Latency p50: teacher: FID 9.3" in picture.alt
    assert "By Peak memory:" in picture.alt


def test_a_price_of_nothing_has_no_place_on_a_logarithmic_axis(inputs: ReportInputs) -> None:
    free = [
        m.model_copy(update={"value": 0.0}) if (m.name, m.model) == ("peak_memory", "narrow") else m
        for m in inputs.record.measurements
    ]
    (picture,) = tradeoff_figures(replace(inputs, record=inputs.record.model_copy(update={"measurements": free})))
    by_latency, _, by_memory = picture.alt.partition("By Peak memory:")
    assert "narrow" in by_latency
    assert "narrow" not in by_memory
    assert "teacher" in by_memory


def test_the_chart_starts_with_quality_against_the_first_price(inputs: ReportInputs) -> None:
    content = chart(inputs)
    assert (content["quality"], content["prices"]) == ("fid", ["latency_p50", "peak_memory"])
    assert chart(replace(inputs, tradeoffs=Tradeoffs()))["quality"] == next(iter(synthetic.KINDS))


def test_invalid_timings_are_named(inputs: ReportInputs) -> None:
    (picture,) = tradeoff_figures(inputs)
    assert picture.alt.count("INVALID") == 1


def test_the_chart_knows_every_metric_with_a_direction(inputs: ReportInputs) -> None:
    content = chart(inputs)
    assert [axis["name"] for axis in content["axes"]] == list(synthetic.KINDS)
    spot = content["spots"]["narrow@cpu/all"]
    value, low, high, invalid = spot["values"]["latency_p50"]
    assert low < value < high
    assert 20 < value < 80  # milliseconds
    assert invalid == 1
    assert all("class=" not in key for key in content["spots"])


def test_the_chart_tells_what_is_known_of_the_front(inputs: ReportInputs) -> None:
    first = synthetic.measurement("fid", "narrow")
    standing = Standing(
        case_key=first.case_key, model="narrow", target="cpu", quality=first.identity, price=first.identity,
        place="unsure", p_off=0.3, p_on=0.4,
    )  # fmt: skip
    front = Front(target="cpu", quality="fid", price="latency_p50", level=0.05, standings=[standing])
    curve = Curve(models=["student-1step", "student-4step"], num_steps=[1, 4])
    content = chart(replace(inputs, tradeoffs=Tradeoffs(fronts=[front], curves=[curve])))
    assert content["fronts"][0]["places"] == {"narrow@cpu/all": "unsure"}
    assert content["curves"] == [{"models": ["student-1step", "student-4step"], "num_steps": [1, 4]}]


def test_nothing_to_draw(inputs: ReportInputs) -> None:
    empty = replace(inputs, record=inputs.record.model_copy(update={"measurements": []}))
    assert tradeoff_figures(empty) == []
    assert chart(empty)["spots"] == {}


def test_names_become_file_names() -> None:
    assert slug("../../Etc <x>") == "etc-x"
    assert slug("\u202e") == "x"


def test_long_names_are_cut() -> None:
    assert len(short("m" * 80)) == 28
