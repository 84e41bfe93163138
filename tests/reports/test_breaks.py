"""The rows of slices on which students break: which, in which order, and what is left out."""

from __future__ import annotations

from dataclasses import replace

from evalsuite.reports._breaks import MOST, breaks
from evalsuite.reports._tables import Index, mark_of
from evalsuite.reports.contract import ReportInputs


def test_only_slices_beyond_chance_the_surest_first(inputs: ReportInputs) -> None:
    rows, more = breaks(inputs)
    cells = {cell.identity: cell for cell in inputs.record.measurements}
    worse = [
        c for c in inputs.comparisons if mark_of(c) == "worse" and cells[c.terms[0].identity].slice != "all"
    ]  # fmt: skip
    assert len(rows) == MOST
    assert len(rows) + more == len(worse)
    assert [row.sureness for row in rows] == sorted((row.sureness for row in rows), reverse=True)
    assert rows[0].model.name == "student-1step"
    assert rows[0].teacher.startswith("18.5 [")
    assert rows[0].chance == "< 0.001"


def test_a_run_without_breaks_has_no_rows(inputs: ReportInputs) -> None:
    assert breaks(replace(inputs, comparisons=[])) == ([], 0)


def test_units_are_those_of_the_tables(inputs: ReportInputs) -> None:
    rows, _ = breaks(inputs)
    accuracy = next(row for row in rows if row.metric == "Class accuracy")
    assert " % [" in accuracy.value
    assert "points" in accuracy.difference
    assert Index.of(inputs).models[0].role == "teacher"
