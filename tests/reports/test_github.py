"""Annotations of a GitHub Actions run: one command a line, whatever the texts hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from evalsuite.records import Verdict
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.github import Github
from tests.reports import synthetic
from tests.reports.hostile import hostile_inputs


def lines(inputs: ReportInputs) -> list[str]:
    (content,) = Github().render(inputs).values()
    return content.decode().splitlines()


@pytest.mark.parametrize(
    ("outcome", "policy", "level"),
    [
        ("pass", "fail", "notice"),
        ("fail", "fail", "error"),
        ("inconclusive", "fail", "error"),
        ("inconclusive", "warn", "warning"),
        ("missing", "fail", "error"),
    ],
)
def test_the_level_follows_the_outcome(inputs: ReportInputs, outcome: str, policy: str, level: str) -> None:
    verdict = Verdict(gate="fid of a@cpu", outcome=outcome, reason="100 % so.")  # type: ignore[arg-type]
    suite = {**inputs.record.suite, "on_inconclusive": policy}
    record = inputs.record.model_copy(update={"suite": suite, "missing": []})
    (line,) = lines(replace(inputs, record=record, verdicts=[verdict]))
    assert line.startswith(f"::{level} title=quickstart%3A ")
    assert line.endswith("::fid of a@cpu: 100 %25 so.")


def test_the_most_urgent_comes_first(inputs: ReportInputs) -> None:
    record = inputs.record.model_copy(update={"missing": []})
    levels = [re.match(r"::(\w+)", line)[1] for line in lines(replace(inputs, record=record))]  # type: ignore[index]
    assert levels == sorted(levels, key=["error", "warning", "notice"].index)


def test_cells_that_failed_are_said(inputs: ReportInputs) -> None:
    crashed = synthetic.missing("kid", "narrow", "all", "it crashed", "failed")
    *_, line = lines(replace(inputs, record=inputs.record.model_copy(update={"missing": [crashed]})))
    assert line == "::error title=quickstart%3A 1 cell failed::kid of narrow@cpu/all: it crashed"


def test_hostile_texts_begin_no_command_of_their_own(inputs: ReportInputs) -> None:
    found = lines(hostile_inputs(inputs))
    assert found
    assert all(re.fullmatch(r"::(error|warning|notice) title=[^:,]*::.*", line) for line in found)
    assert not set("".join(found)) & set("\u202e\u2028\u200b\x00\x1b\r")
