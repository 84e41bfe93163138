"""Where students break: the slices on which one is worse than its teacher beyond chance, the surest first."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.records import Comparison, Measurement
from evalsuite.reports._format import bounds, decimals, metric_title, number, probability
from evalsuite.reports._models import Model
from evalsuite.reports._tables import Index, difference_texts, mark_of, significance
from evalsuite.reports.contract import ReportInputs

MOST = 60
"""Rows; what is not among them stands in the tables of slices and in ``measurements.csv``."""


@dataclass(frozen=True)
class Break:
    """One student on one slice by one metric.

    ``excess`` is what the slice does to the student more than to its teacher, with its q-value; the rows are in the
    order of ``sureness``.
    """

    model: Model
    target: str
    slice: str
    metric: str
    value: str
    teacher: str
    difference: str
    interval: str
    chance: str
    excess: str
    sureness: float


def breaks(inputs: ReportInputs) -> tuple[list[Break], int]:
    """The rows, and how many more there are."""
    index = Index.of(inputs)
    cells = {cell.identity: cell for cell in inputs.record.measurements}
    excesses = {row.cell: row.excess for row in inputs.robustness.rows}
    found = []
    for comparison in inputs.comparisons:
        cell = cells.get(comparison.terms[0].identity) if comparison.terms else None
        if cell and cell.slice != "all" and mark_of(comparison) == "worse":
            teacher = cells.get(comparison.terms[-1].identity)
            found.append(_break(cell, teacher, comparison, excesses.get(cell.identity), index))
    found.sort(key=lambda row: (-row.sureness, row.slice))
    return found[:MOST], max(0, len(found) - MOST)


def _break(
    cell: Measurement, teacher: Measurement | None, comparison: Comparison, excess: Comparison | None, index: Index
) -> Break:
    scale = index.scale(cell)
    difference, interval = difference_texts(comparison, scale)
    return Break(
        next(model for model in index.models if model.name == cell.model),
        cell.target,
        cell.slice,
        metric_title(cell.name, cell.metric),
        _text(cell, index),
        _text(teacher, index) if teacher else "",
        difference,
        interval,
        probability(comparison.q_value if comparison.q_value is not None else comparison.p_value),
        " ".join(filter(None, [*difference_texts(excess, scale), significance(excess)])) if excess else "",
        _sureness(comparison),
    )


def _text(cell: Measurement, index: Index) -> str:
    scale = index.scale(cell)
    digits = decimals(cell.value, cell.interval, scale.divisor)
    unit = scale.unit if not scale.unit.startswith("×") else ""
    value = f"{number(cell.value / scale.divisor, digits)} {unit}".strip()
    return f"{value} {bounds(cell.interval, digits, scale.divisor)}".strip()


def _sureness(comparison: Comparison) -> float:
    """How many half-widths of its interval the difference is from none; p-values below any digit would all be alike."""
    if comparison.interval is None or comparison.value is None:
        return 0.0
    none = 1.0 if comparison.scale == "ratio" else 0.0
    half = (comparison.interval.high - comparison.interval.low) / 2
    return abs(comparison.value - none) / half if half > 0 else float("inf")
