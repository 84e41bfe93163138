"""The comment for a pull request: short, linked, escaped."""

from __future__ import annotations

import re
from dataclasses import replace

from evalsuite.reports.comment import LARGEST, Comment
from evalsuite.reports.contract import ReportInputs
from tests.reports.hostile import hostile_inputs


def rendered(inputs: ReportInputs) -> str:
    (content,) = Comment().render(inputs).values()
    return content.decode()


def test_says_the_verdict_first_and_each_gate(inputs: ReportInputs) -> None:
    text = rendered(inputs)
    assert text.startswith("### ⚠️ quickstart: Inconclusive\n\nOf 2 gates, 1 is undecided and 1 passes.\n")
    assert len(re.findall(r"^\| [✅⚠️]+ ", text, re.M)) == len(inputs.verdicts)


def test_counts_gates_in_words(inputs: ReportInputs) -> None:
    (passing,) = (verdict for verdict in inputs.verdicts if verdict.outcome == "pass")
    failing = passing.model_copy(update={"outcome": "fail"})
    text = rendered(replace(inputs, verdicts=[failing, passing, passing, failing]))
    assert "\n\nOf 4 gates, 2 fail and 2 pass.\n" in text


def test_folds_the_table_of_each_target(inputs: ReportInputs) -> None:
    text = rendered(inputs)
    assert text.count("<details>") == text.count("</details>") >= 1
    assert "| FID ↓ |" in text


def test_links_the_report_where_it_can_be_read(inputs: ReportInputs) -> None:
    assert "[Full report](<https://example.org/r/index.html>)" in rendered(
        replace(inputs, link="https://example.org/r/index.html")
    )
    assert "Full report" not in rendered(inputs)


def test_is_never_longer_than_a_forge_takes(inputs: ReportInputs) -> None:
    record = inputs.record
    many = [
        m.model_copy(update={"target": f"{m.target}-{i}", "case_key": f"{m.model}@{m.target}-{i}/all"})
        for i in range(40)
        for m in record.measurements
        if m.slice == "all"
    ]
    text = rendered(replace(inputs, record=record.model_copy(update={"measurements": many})))
    assert len(text) <= LARGEST
    assert "no room for them" in text
    assert text.rstrip().endswith("</sub>")


def test_hostile_texts_make_no_links_mentions_or_markup(inputs: ReportInputs) -> None:
    text = rendered(hostile_inputs(inputs))
    outside_code = re.sub(r"(`+).+?\1", "", re.sub(r"\\`", "", text))
    assert not re.search(r"(?<!\\)<(?!/?(sup|sub|details|summary)>|br>)", outside_code)
    assert not re.search(r"@\w|://\w|www\.\w", outside_code)
    assert not set(text) & set("\u202e\u2028\u200b\x00")
