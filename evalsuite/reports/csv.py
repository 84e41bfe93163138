"""Report format ``csv``: one row a cell of the run, for a spreadsheet or a data frame."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from evalsuite.records import Comparison, Measurement, Missing
from evalsuite.reports._tables import Index
from evalsuite.reports.contract import ReportInputs

COLUMNS = (
    "name", "metric", "model", "role", "target", "slice", "against", "status", "reason", "value", "unit",
    "higher_is_better", "interval_low", "interval_high", "interval_level", "interval_method", "n", "difference",
    "difference_scale", "difference_low", "difference_high", "p_value", "q_value", "extractor", "warning", "invalid",
    "case_key", "protocol",
)  # fmt: skip
"""``status`` is ``measured`` or the kind of absence; ``difference`` is to the teacher."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Csv:
    """``measurements.csv``: UTF-8 after RFC 4180; numbers in base units (seconds, bytes), full precision.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
        writer.writeheader()
        for content in rows(inputs):
            writer.writerow({key: guarded(value) for key, value in content.items()})
        return {"measurements.csv": text.getvalue().encode()}


def rows(inputs: ReportInputs) -> Iterator[dict[str, Any]]:
    """The cells of the run by column, measured ones first; what a cell lacks is left out or None."""
    index = Index.of(inputs)
    yield from (_measured(cell, index.comparison(cell)) for cell in inputs.record.measurements)
    yield from map(_missing, inputs.record.missing)


def guarded(value: Any) -> Any:
    """Text that cannot start a formula; numbers stay numbers, None is empty."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value


def _cell(cell: Measurement | Missing) -> dict[str, Any]:
    return cell.model_dump(include={"name", "metric", "model", "role", "target", "slice", "against", "case_key"})


def _missing(cell: Missing) -> dict[str, Any]:
    return _cell(cell) | {"status": cell.kind, "reason": cell.reason}


def _measured(cell: Measurement, comparison: Comparison | None) -> dict[str, Any]:
    content = _cell(cell) | {
        "status": "measured", "value": cell.value, "unit": cell.unit, "higher_is_better": cell.higher_is_better,
        "n": cell.n, "extractor": cell.extractor, "warning": cell.warning, "invalid": cell.invalid,
        "protocol": json.dumps(cell.protocol, sort_keys=True, ensure_ascii=False),
    }  # fmt: skip
    if cell.interval:
        content |= {f"interval_{key}": value for key, value in cell.interval.model_dump().items()}
    if comparison and comparison.value is not None:
        bounds = comparison.interval
        content |= {
            "difference": comparison.value, "difference_scale": comparison.scale, "p_value": comparison.p_value,
            "q_value": comparison.q_value, "difference_low": bounds.low if bounds else None,
            "difference_high": bounds.high if bounds else None,
        }  # fmt: skip
    return content
