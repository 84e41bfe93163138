"""The leaderboard's pages: what they say without scripts, what they keep apart, what they refuse to run."""

from __future__ import annotations

import json
import re

import pytest

from evalsuite.compare.leaderboard import Result, leaderboards
from evalsuite.records import Board, Interval, Rank
from evalsuite.reports._board import rank_text
from evalsuite.reports._leaderboard import site
from tests.reports.hostile import TEXTS
from tests.reports.many_runs import results
from tests.reports.test_html import Page, digest_of

MODELS = ("narrow", "student-1step", "student-4step")


@pytest.fixture(scope="module")
def boards() -> list[Board]:
    return leaderboards(results(8, MODELS, sides=2))


def page_of(boards: list[Board], name: str = "board-1.html") -> Page:
    return Page(site(boards)[name].decode())


def test_ranks_values_and_prices_are_there_without_scripts(boards: list[Board]) -> None:
    text = page_of(boards).text
    first = boards[0].entries[0]
    assert f"1 {first.model} {first.role} cpu" in text
    assert "Latency p50 [ms]" in text
    assert "class=shirt" in text
    assert f"{first.model} cpu, 4 runs" in text


def test_says_that_frechet_distances_are_compared_without_their_bias(boards: list[Board]) -> None:
    assert "corrected for its bias" in page_of(boards).text
    other = boards[0].model_copy(update={"protocol": {"family": "mean"}})
    assert "corrected for its bias" not in page_of([other]).text


def test_a_tie_is_shown_as_a_range() -> None:
    assert [rank_text(Rank(low=low, high=high)) for low, high in ((1, 1), (2, 4))] == ["1", "2–4"]


def test_each_protocol_has_a_page_and_the_first_says_what_differs(boards: list[Board]) -> None:
    assert list(site(boards)) == ["index.html", "board-1.html", "board-2.html"]
    text = page_of(boards, "index.html").text
    assert "keep the boards apart: reference ." in text
    assert "reference-0" in text
    assert "reference-1" in text
    assert "reference is reference-0" in page_of(boards).text


def test_runs_link_to_their_reports(boards: list[Board]) -> None:
    links = {link.get("href") for link in page_of(boards).all("a")}
    assert {entry.link for entry in boards[0].entries} <= links


def test_machines_of_one_name_are_told_apart(boards: list[Board]) -> None:
    entries = list(boards[0].entries)
    slow = entries[0].prices[0].model_copy(update={"protocol": {"environment.processor": "other"}})
    entries[0] = entries[0].model_copy(update={"prices": [slow]})
    text = page_of([boards[0].model_copy(update={"entries": entries})]).text
    assert "cpu (machine 1)" in text
    assert "cpu (machine 2)" in text


def test_rows_say_whether_they_are_on_the_front(boards: list[Board]) -> None:
    entries = []
    for entry, (value, half, price) in zip(boards[0].entries, ((1, 0.1, 1), (1.1, 0.1, 5), (9, 0.1, 9)), strict=False):
        cells = [
            cell.model_copy(update={
                "value": x, "interval": Interval(low=x - width, high=x + width, level=0.95, method="t")
            })
            for cell, x, width in ((entry.cell, value, half), (entry.prices[0], price, 0.1))
        ]  # fmt: skip
        entries.append(entry.model_copy(update={"cell": cells[0], "prices": cells[1:]}))
    page = page_of([boards[0].model_copy(update={"entries": entries})])
    marks = [mark["aria-label"] for mark in page.all("span") if "front" in (mark.get("aria-label") or "")]
    assert marks == ["on the front", "perhaps on the front"]
    (front,) = json.loads(next(body for a, body in page.scripts if a.get("id") == "chart-data"))["fronts"]
    assert front["places"] == {"0": "on", "1": "unsure", "2": "off"}


def test_hostile_names_stay_texts(boards: list[Board]) -> None:
    entries = [
        entry.model_copy(update={
            "model": text, "target": text, "run": text, "suite": text, "role": "student",
            "slices": dict.fromkeys([text], next(iter(entry.slices.values()))),
            "cell": entry.cell.model_copy(update={"warning": text, "invalid": text}),
        })
        for entry in boards[0].entries[:1] for text in TEXTS
    ]  # fmt: skip
    board = boards[0].model_copy(update={"entries": entries, "task": TEXTS[0], "protocol": {t: t for t in TEXTS}})
    for name, content in site([board, boards[1]]).items():
        page = Page(content.decode())
        assert [e for e in page.elements if any(key.startswith("on") for key in e[1])] == []
        assert not [a for a in page.all("a") if (a.get("href") or "").startswith("javascript")]
        assert "\u202e" not in content.decode()
        assert "\u2028" not in content.decode()
        if name == "board-1.html":
            assert TEXTS[0] in page.text


def test_the_policy_allows_the_page_s_own_scripts_and_nothing_else(boards: list[Board]) -> None:
    content = site(boards)["board-1.html"].decode()
    page = Page(content)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy") or ""
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    run = [body for attributes, body in page.scripts if attributes.get("type") != "application/json"]
    assert rules["script-src"].split() == [digest_of(body) for body in run]
    assert rules["default-src"] == "'none'"
    assert not re.search(r'\sstyle="', content)


def test_a_board_without_prices_and_slices_has_no_such_sections(boards: list[Board]) -> None:
    entries = [entry.model_copy(update={"prices": [], "slices": {}}) for entry in boards[0].entries]
    page = page_of([boards[0].model_copy(update={"entries": entries})])
    assert [section["id"] for section in page.all("section")] == ["ranks", "history", "protocol"]


def test_a_single_entry_has_rank_one() -> None:
    (one,) = results(1, MODELS)
    alone = one.record.model_copy(update={"measurements": one.record.measurements[:1]})
    assert "1 teacher teacher cpu" in page_of(leaderboards([Result("run", alone)])).text
