"""The copy for other programs."""

from __future__ import annotations

import json

from evalsuite.records import Comparison, RunRecord, Tradeoffs, Verdict
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.json import Json
from tests.reports.hostile import hostile_inputs


def test_holds_record_comparisons_verdicts_and_command(inputs: ReportInputs) -> None:
    content = json.loads(Json().render(inputs)["record.json"])
    assert [Comparison.model_validate(c) for c in content.pop("comparisons")] == list(inputs.comparisons)
    assert [Verdict.model_validate(v) for v in content.pop("verdicts")] == list(inputs.verdicts)
    assert content.pop("across_targets") == []
    assert Tradeoffs.model_validate(content.pop("tradeoffs")) == inputs.tradeoffs
    assert content.pop("command") == inputs.command
    assert content.pop("content_hash") == inputs.record.content_hash
    assert RunRecord.model_validate(content).model_dump() == inputs.record.model_dump()


def test_is_ascii_whatever_the_names(inputs: ReportInputs) -> None:
    content = Json().render(hostile_inputs(inputs))["record.json"]
    assert content.isascii()
    assert json.loads(content)["suite"] == hostile_inputs(inputs).record.suite
