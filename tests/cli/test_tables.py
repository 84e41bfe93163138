"""The terminal shows the report's own numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import RenderableType

from evalsuite.cli import tables
from evalsuite.cli.terminal import show
from evalsuite.compare.power import GatePower
from evalsuite.pipeline.estimate import Cost
from evalsuite.records import Comparison, Identity, Plan, Term
from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic


@pytest.fixture
def inputs(tmp_path: Path) -> ReportInputs:
    return synthetic.quickstart(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *parts: RenderableType) -> str:
    show(*parts)
    return capsys.readouterr().out


def test_summary_has_a_column_a_model_and_differences_below(
    inputs: ReportInputs, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(capsys, *tables.summary(inputs)).splitlines()
    heading = next(line for line in lines if "metric" in line)
    assert heading.split() == ["metric", *synthetic.MODELS]
    fid = next(i for i, line in enumerate(lines) if line.strip().startswith("FID ↓"))
    assert lines[fid].count("[") == len(synthetic.MODELS)
    assert lines[fid + 1].count("[") == len(synthetic.MODELS) - 1
    assert "PSNR ↑ (dB)" in "\n".join(lines)


def test_gates_say_outcome_gate_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = synthetic.passed()
    first, second = printed(capsys, *tables.gates([verdict])).splitlines()
    assert first.split()[0] == "pass"
    assert verdict.gate in first
    assert second.strip() == verdict.reason


def test_differences_have_a_row_each(inputs: ReportInputs, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, *tables.differences(inputs.comparisons))
    of_student = [line for line in out.splitlines() if "student-4step@cpu/all" in line]
    expected = [c for c in inputs.comparisons if c.terms[0].identity.case_key == "student-4step@cpu/all"]
    assert len(of_student) == len(expected) > 5
    assert any("×" in line for line in of_student)


def test_what_cannot_be_compared_is_one_line_a_metric(capsys: pytest.CaptureFixture[str]) -> None:
    def unlike(case_key: str) -> Comparison:
        terms = [Term(coefficient=1, identity=Identity(case_key, "fid", "reference"))]
        return Comparison(name="fid", terms=terms, incomparable="n differs: 1000 and 2000")

    out = printed(capsys, *tables.differences([unlike("a@cpu/all"), unlike("b@cpu/all")]))
    assert out.splitlines()[-1] == "incomparable: fid of a@cpu/all and 1 more: n differs: 1000 and 2000"


def test_absences_join_cells_of_one_reason(inputs: ReportInputs, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, *tables.absences(inputs.record.missing))
    assert out.count(synthetic.REFUSED) == 1
    assert " more: " in out


def test_gates_that_cannot_decide_say_what_they_need(capsys: pytest.CaptureFixture[str]) -> None:
    gates = [
        GatePower("kid", "equivalence", unit="", effect=0.02, room=0.01, needed=4000, source="a-run"),
        GatePower("latency", "superiority", scale="ratio", effect=1.05, room=2.0, needed=6, source="a-run"),
        GatePower("fid", "limit", unknown="nobody knows"),
    ]
    kid, latency, fid = printed(capsys, *tables.powers(gates, 1000)).splitlines()[4:7]
    assert kid.split() == ["kid", "0.02", "0.01", "4000", "a-run"]
    assert latency.split() == ["latency", "x", "1.05", "x", "2", "6", "a-run"]
    assert fid.split()[:3] == ["fid", "unknown", "unknown"]
    assert "nobody knows" in fid


def test_plan_sums_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    known, unknown = Cost("a@cpu/all", 10, 4, 1000, 5.0, 2_000_000), Cost("b@cpu/all", 10, 0, None, 65.0, None)
    subset = Cost("a@cpu/class=bag", 0, 0, 0, 0.0, 0)
    lines = printed(capsys, *tables.planned(Plan("hash", ()), [known, unknown, subset])).splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.split()}
    assert rows["a@cpu/all"] == ["10", "4", "1", "kB", "5", "s", "2", "MB"]
    assert rows["all"] == ["20", "4", "unknown", "1", "min", "10", "s"]
    assert "1 subset slices" in "\n".join(lines)
