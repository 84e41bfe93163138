"""Fronts and budgets, told by the names of models."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from evalsuite.records import BudgetChoice, Front, Standing, Tradeoffs
from evalsuite.reports._choices import choices, standings
from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic


def standing(model: str, place: Literal["on", "off", "unsure"]) -> Standing:
    quality, price = (synthetic.measurement(name, model).identity for name in ("fid", "latency_p50"))
    return Standing(
        case_key=f"{model}@cpu/all", model=model, target="cpu", quality=quality, price=price, place=place, p_off=0.2,
        p_on=0.2,
    )  # fmt: skip


def test_a_front_names_who_is_on_it(inputs: ReportInputs) -> None:
    members = [standing("student-1step", "on"), standing("teacher", "on"), standing("narrow", "off")]
    fronts = [
        Front(target=target, quality="fid", price="latency_p50", level=0.05, standings=members)
        for target in ("cpu", None)
    ]
    one, every = standings(replace(inputs, tradeoffs=Tradeoffs(fronts=fronts)))
    assert (one.quality, one.price, one.target) == ("FID", "Latency p50", "cpu")
    assert (one.on, one.unsure, one.off) == ("student-1step, teacher", "", "narrow")
    assert (every.target, every.off) == ("", "narrow@cpu")


def test_a_budget_names_the_best_and_its_rivals(inputs: ReportInputs) -> None:
    choice = BudgetChoice(
        target="cpu", budget_s=0.04, latency="latency_p50", quality="fid", level=0.05,
        within=["student-4step@cpu/all", "narrow@cpu/all"], perhaps=[], beyond=["teacher@cpu/all"],
        best="student-4step@cpu/all", rivals=["narrow@cpu/all"], contenders=[],
    )  # fmt: skip
    (row,) = choices(replace(inputs, tradeoffs=Tradeoffs(choices=[choice])))
    assert (row.budget, row.best, row.rivals, row.perhaps, row.beyond) == (
        "40 ms", "student-4step", "narrow", "", "teacher",
    )  # fmt: skip


def test_without_trade_offs_there_are_no_rows(inputs: ReportInputs) -> None:
    assert standings(inputs) == choices(inputs) == []
