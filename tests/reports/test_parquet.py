"""The typed table: the rows of the CSV, with nulls instead of empty texts."""

from __future__ import annotations

import io

import pyarrow.parquet as pq

from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.csv import COLUMNS
from evalsuite.reports.parquet import Parquet
from tests.reports.hostile import TEXTS, hostile_inputs


def table(inputs: ReportInputs):  # type: ignore[no-untyped-def]
    return pq.read_table(io.BytesIO(Parquet().render(inputs)["measurements.parquet"]))


def test_one_row_a_cell_with_types(inputs: ReportInputs) -> None:
    found = table(inputs)
    record = inputs.record
    assert found.num_rows == len(record.measurements) + len(record.missing)
    assert tuple(found.column_names) == COLUMNS
    first = found.slice(0, 1).to_pylist()[0]
    assert first["value"] == record.measurements[0].value
    assert (first["status"], first["reason"], first["higher_is_better"]) == ("measured", None, False)
    assert str(found.schema.field("n").type) == "int64"


def test_missing_cells_have_a_reason_and_no_number(inputs: ReportInputs) -> None:
    last = table(inputs).to_pylist()[-1]
    assert (last["status"], last["value"]) == ("skipped", None)
    assert "Fréchet" in last["reason"]


def test_texts_stand_as_they_are(inputs: ReportInputs) -> None:
    assert set(TEXTS) <= set(table(hostile_inputs(inputs))["model"].to_pylist())
