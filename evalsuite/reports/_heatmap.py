"""The heat maps: what every slice costs each student, as text cells with a shade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from evalsuite.records import Measurement, Missing
from evalsuite.reports._format import Scale, bounds, decimals, metric_title, number, plain
from evalsuite.reports._models import Model, kind_of, label_of, slices, subsets, targets
from evalsuite.reports._tables import (
    Index,
    Mark,
    Remark,
    absence,
    absences_of,
    difference_texts,
    groups_by_name,
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
    """One metric on one target: slices in rows (what to call each, its id, its tiles), students in columns."""

    title: str
    unit: str
    explanation: str
    models: list[Model]
    rows: list[tuple[str, str, list[Tile]]]


@dataclass(frozen=True)
class HeatMap:
    """All panels of one kind of slice and target, and why cells on its slices have no value.

    ``subset`` says whether its slices are parts of the same samples, rather than new samples under another condition.
    """

    kind: str
    subset: bool
    target: str
    panels: list[Panel]
    absent: list[Remark]


def heat_maps(inputs: ReportInputs) -> list[HeatMap]:
    """One for each kind of slice and target that has any cell."""
    index, names, parts = Index.of(inputs), groups_by_name(inputs), set(subsets(inputs.record))
    by_kind: dict[str, list[str]] = {}
    for slice_id in slices(inputs.record):
        by_kind.setdefault(kind_of(slice_id), []).append(slice_id)
    found = []
    for kind, ids in by_kind.items():
        for target in targets(inputs.record):
            panels = [panel for name, group in names.items() if (panel := _panel(index, name, group, target, ids))]
            absent = absences_of([m for m in inputs.record.missing if m.target == target and m.slice in ids])
            if panels or absent:
                found.append(HeatMap(kind, parts.issuperset(ids), target, panels, absent))
    return found


@dataclass(frozen=True)
class Yardstick:
    """What the tiles of one panel share.

    Attributes:
        scale: the unit.
        digits: after the point, as the middle one of the intervals can bear.
        low, high: least and greatest value.
        greatest: the largest difference in size; None in a panel of values.
    """

    scale: Scale
    digits: int
    low: float
    high: float
    greatest: float | None

    @classmethod
    def of(cls, measured: Sequence[Measurement], index: Index) -> Yardstick:
        scale, values = index.scale(measured[0]), [m.value for m in measured]
        compared = [comparison for cell in measured if (comparison := index.comparison(cell))]
        differences = [(c.value, c.interval) for c in compared if c.value is not None and c.scale == "difference"]
        shown = differences or [(m.value, m.interval) for m in measured]
        # A zero without an interval, or with one of no width, says nothing about digits.
        telling = [(v, interval) for v, interval in shown if v or (interval and interval.low < interval.high)]
        digits = median_low([decimals(value, interval, scale.divisor) for value, interval in telling] or [0])
        greatest = max(abs(value) for value, _ in differences) if differences else None
        return cls(scale, digits, min(values), max(values), greatest)


def _panel(index: Index, name: str, group: str, target: str, ids: Sequence[str]) -> Panel | None:
    """None where no student has a value: a panel of reasons would hide the reason."""
    students = [model for model in index.models if model.role != "teacher"] or index.models
    grid = {(s, m.name): index.cells.get((name, m.name, target, s)) for s in ids for m in students}
    measured = [cell for cell in grid.values() if isinstance(cell, Measurement)]
    if not measured:
        return None
    yardstick = Yardstick.of(measured, index)
    compared = yardstick.greatest is not None
    alone = "likeness to the teacher" if group == "Fidelity to the teacher" else "each model's own value"
    return Panel(
        title=metric_title(name, measured[0].metric),
        unit=yardstick.scale.difference_unit if compared else yardstick.scale.unit,
        explanation="student minus teacher" if compared else alone,
        models=students,
        rows=[(label_of(s), s, [_tile(grid[s, m.name], index, yardstick) for m in students]) for s in ids],
    )


def _tile(cell: Measurement | Missing | None, index: Index, yardstick: Yardstick) -> Tile:
    if cell is None:
        return Tile("n/a", details="not measured", absent=True)
    if isinstance(cell, Missing):
        return Tile(cell.kind, details=absence(cell), absent=True)
    if yardstick.greatest is not None:
        return _difference_tile(cell, index, yardstick, yardstick.greatest)
    spread = yardstick.high - yardstick.low
    share = (cell.value - yardstick.low) / spread if spread else 0.5
    goodness = 1 - share if cell.higher_is_better is False else share
    divisor = yardstick.scale.divisor
    interval = bounds(cell.interval, decimals(cell.value, cell.interval, divisor), divisor) or "no interval"
    shown = number(cell.value / divisor, yardstick.digits)
    return Tile(
        shown,
        round(goodness * SHADES),
        details="; ".join(filter(None, [interval, f"n = {cell.n}", plain(cell.warning)])),
    )


def _difference_tile(cell: Measurement, index: Index, yardstick: Yardstick, greatest: float) -> Tile:
    comparison = index.comparison(cell)
    if comparison is None or comparison.value is None:
        reason = plain(comparison.incomparable) if comparison else "not compared with a teacher"
        return Tile("n/a", details=f"no difference: {reason}", absent=True)
    sign = -1 if cell.higher_is_better is False else 1
    shade = round(SHADES * sign * comparison.value / greatest) if greatest else 0
    difference, interval = difference_texts(comparison, yardstick.scale)
    details = "; ".join(
        filter(
            None, [f"{difference} {interval}".strip(), significance(comparison), f"n = {cell.n}", plain(cell.warning)]
        )
    )
    shown = number(comparison.value / yardstick.scale.divisor, yardstick.digits, signed=True)
    return Tile(shown, shade, index.mark(cell), details)
