"""The heat maps: what every slice of the same samples costs each student, as text cells with a shade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalsuite.records import Measurement, Missing
from evalsuite.reports._format import bounds, decimals, metric_title, number, plain
from evalsuite.reports._models import Model, slices, subset_axes, targets
from evalsuite.reports._tables import (
    Absence,
    Index,
    Mark,
    absence,
    absences_of,
    difference_texts,
    groups_by_name,
    mark_of,
    significance,
)
from evalsuite.reports.contract import ReportInputs

SHADES = 5


@dataclass(frozen=True)
class Tile:
    """One student on one slice; ``details`` is the tooltip.

    ``shade`` runs from -5 (worse than the teacher) to 5 (better), for likeness from 0 (least) to 5 (most).
    """

    text: str
    shade: int = 0
    mark: Mark = "unjudged"
    details: str = ""
    absent: bool = False


@dataclass(frozen=True)
class Panel:
    """One metric on one target: slices in rows, students in columns."""

    title: str
    unit: str
    explanation: str
    models: list[Model]
    rows: list[tuple[str, list[Tile]]]


@dataclass(frozen=True)
class HeatMap:
    """All panels of one attribute and target, and the metrics that have no value on any of its slices."""

    axis: str
    target: str
    panels: list[Panel]
    absent: list[Absence]


def heat_maps(inputs: ReportInputs) -> list[HeatMap]:
    """One for each attribute and target that has any cell."""
    index, names = Index.of(inputs), groups_by_name(inputs)
    found = []
    for axis in subset_axes(inputs.record):
        ids = [s for s in slices(inputs.record) if s.startswith(f"{axis}=") and "&" not in s]
        for target in targets(inputs.record):
            panels = [panel for name in names if (panel := _panel(index, name, target, ids))]
            drawn = {panel.title for panel in panels}
            cells = [m for m in inputs.record.missing if m.target == target and m.slice in ids]
            absent = absences_of([m for m in cells if metric_title(m.name, m.metric) not in drawn])
            if panels or absent:
                found.append(HeatMap(axis, target, panels, absent))
    return found


def _panel(index: Index, name: str, target: str, ids: Sequence[str]) -> Panel | None:
    """None where no student has a value: a panel of reasons would hide the reason."""
    students = [model for model in index.models if model.role != "teacher"] or index.models
    grid = {(s, m.name): index.cells.get((name, m.name, target, s)) for s in ids for m in students}
    measured = [cell for cell in grid.values() if isinstance(cell, Measurement)]
    if not measured:
        return None
    compared = [comparison for cell in measured if (comparison := index.comparison(cell))]
    differences = [c.value for c in compared if c.value is not None and c.scale == "difference"]
    scale = index.scale(measured[0])
    greatest = max(map(abs, differences), default=0.0)
    values = [m.value for m in measured]
    low, high = min(values), max(values)

    def tile(cell: Measurement | Missing | None) -> Tile:
        if cell is None:
            return Tile("n/a", details="not measured", absent=True)
        if isinstance(cell, Missing):
            return Tile(cell.kind, details=absence(cell), absent=True)
        if differences:
            return _difference_tile(cell, index, greatest)
        share = (cell.value - low) / (high - low) if high > low else 0.5
        goodness = share if cell.higher_is_better is not False else 1 - share
        digits = decimals(cell.value, cell.interval, scale.divisor)
        details = f"{bounds(cell.interval, digits, scale.divisor)} n = {cell.n}".strip()
        return Tile(number(cell.value / scale.divisor, digits), round(goodness * SHADES), details=details)

    return Panel(
        title=metric_title(name, measured[0].metric),
        unit=(scale.difference_unit if differences else scale.unit),
        explanation="student minus teacher" if differences else "likeness to the teacher",
        models=students,
        rows=[(slice_id.partition("=")[2], [tile(grid[slice_id, m.name]) for m in students]) for slice_id in ids],
    )


def _difference_tile(cell: Measurement, index: Index, greatest: float) -> Tile:
    comparison, scale = index.comparison(cell), index.scale(cell)
    if comparison is None or comparison.value is None:
        reason = plain(comparison.incomparable) if comparison else "not compared with a teacher"
        return Tile("n/a", details=f"no difference: {reason}", absent=True)
    sign = -1 if cell.higher_is_better is False else 1
    shade = round(SHADES * sign * comparison.value / greatest) if greatest else 0
    digits = decimals(comparison.value, comparison.interval, scale.divisor)
    difference, interval = difference_texts(comparison, scale)
    chance = significance(comparison)
    details = f"{difference} {interval}{', ' if chance else ''}{chance}; n = {cell.n}"
    shown = number(comparison.value / scale.divisor, digits, signed=True)
    return Tile(shown, shade, mark_of(comparison), details)
