"""The table of all cells: complete, exact, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.csv import COLUMNS, FORMULA_STARTS, Csv, guarded
from tests.reports import synthetic
from tests.reports.hostile import hostile_inputs


def rows_of(inputs: ReportInputs) -> list[dict[str, str]]:
    text = Csv().render(inputs)["measurements.csv"].decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_one_row_a_cell_with_exact_numbers(inputs: ReportInputs) -> None:
    rows = rows_of(inputs)
    assert len(rows) == len(inputs.record.measurements) + len(inputs.record.missing)
    assert set(rows[0]) == set(COLUMNS)
    for row, measurement in zip(rows, inputs.record.measurements, strict=False):
        assert float(row["value"]) == measurement.value
        assert row["status"] == "measured"


def test_differences_stand_in_the_student_s_row(inputs: ReportInputs) -> None:
    row = next(r for r in rows_of(inputs) if (r["name"], r["model"], r["slice"]) == ("fid", "narrow", "all"))
    expected = synthetic.comparison("fid", "narrow")
    assert expected.interval is not None
    assert float(row["difference"]) == expected.value
    assert float(row["difference_low"]) == expected.interval.low


def test_missing_cells_have_a_row_with_the_reason(inputs: ReportInputs) -> None:
    row = next(r for r in rows_of(inputs) if r["status"] == "skipped")
    assert row["reason"] == synthetic.REFUSED
    assert row["value"] == ""


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_formulas_are_guarded(start: str) -> None:
    assert guarded(f"{start}1+1") == f"'{start}1+1"
    assert guarded(f"  {start}1+1") == f"'  {start}1+1"


def test_numbers_are_not_guarded() -> None:
    assert guarded(-1.5) == -1.5
    assert guarded("plain") == "plain"
    assert guarded(None) == ""


def test_no_hostile_cell_starts_a_formula(inputs: ReportInputs) -> None:
    for row in rows_of(hostile_inputs(inputs)):
        for key, cell in row.items():
            if key not in ("value", "difference", "interval_low", "difference_low"):
                assert not cell.lstrip(" ").startswith(FORMULA_STARTS)
