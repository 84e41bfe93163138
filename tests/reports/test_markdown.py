"""The Markdown report: content, and that texts of the run mean nothing to Markdown."""

from __future__ import annotations

import re

import pytest

from evalsuite.reports._format import plain
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.markdown import Markdown, code, escaped
from tests.reports import synthetic
from tests.reports.hostile import TEXTS, hostile_inputs


@pytest.fixture(scope="module")
def report(inputs: ReportInputs) -> str:
    return Markdown().render(inputs)["report.md"].decode()


def test_verdict_comes_first(report: str) -> None:
    assert report.startswith("# quickstart: Inconclusive\n\nOf 2 gates, 1 is undecided and 1 passes.\n")


def test_shows_values_differences_and_reasons(report: str) -> None:
    assert "| FID ↓ | **9.4** [8.8, 10.0] | **13.3** [12.7, 13.9]<sup>1</sup><br>▼ \\+3.9 [+3.4, +4.4] |" in report
    assert synthetic.REFUSED.replace(">", "\\>") in report
    assert "`evalsuite run suites/quickstart.yaml`" in report


def test_all_rows_of_a_table_have_its_columns(report: str) -> None:
    for block in re.findall(r"(?:^\|.*\n)+", report, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_shows_its_pictures_with_alt_text(inputs: ReportInputs, report: str) -> None:
    pictures = {file: alt for alt, file in re.findall(r"^!\[(.+)\]\((.+)\)$", report, re.M)}
    assert set(pictures) == set(Markdown().render(inputs)) - {"report.md"}
    assert all(len(alt) > 40 for alt in pictures.values())


def test_same_input_gives_the_same_bytes(inputs: ReportInputs) -> None:
    assert Markdown().render(inputs) == Markdown().render(inputs)


def test_hostile_texts_make_no_links_mentions_markup_or_cells(inputs: ReportInputs) -> None:
    report = Markdown().render(hostile_inputs(inputs))["report.md"].decode()
    outside_code = re.sub(r"(`+).+?\1", "", re.sub(r"\\`", "", report))
    assert not re.search(r"(?<!\\)<(?!/?sup>|br>)", outside_code)
    assert not re.search(r"@\w|://\w|www\.\w", outside_code)
    assert not re.search(r"(?<!!)(?<!\\)\[link", outside_code)
    assert not set(report) & set("\u202e\u2028\u200b\x00")
    for block in re.findall(r"(?:^\|.*\n)+", report, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


@pytest.mark.parametrize("text", TEXTS)
def test_escaping_can_be_undone_by_a_reader(text: str) -> None:
    shown = re.sub(r"\\([!-/:-@[-`{-~])", r"\1", escaped(text))
    assert shown.replace("\N{WORD JOINER}", "") == plain(text)


def test_code_cannot_be_ended_from_within() -> None:
    assert code("plain") == "`plain`"
    assert code("a `` b") == "``` a `` b ```"
    assert code("a|b") == "`a\\|b`"
