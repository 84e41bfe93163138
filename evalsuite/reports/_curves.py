"""Severity curves: each metric over the values of a numeric slice, a line a model, with its intervals as a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.records import Measurement
from evalsuite.reports._drawing import WIDTH, Drawing, canvas, drawing
from evalsuite.reports._format import Scale, metric_title, plain
from evalsuite.reports._models import Model, short, slices, slug, targets
from evalsuite.reports._tables import Index, group_of, groups_by_name
from evalsuite.reports.contract import ReportInputs

LEAST_VALUES = 2
"""Of an axis, besides the unchanged samples: fewer make no curve."""
COLUMNS = 3
"""Panels side by side."""
PANEL_INCHES = 2.6
MOST_PANELS = 15
"""Of one figure."""

Axes = Mapping[str, Mapping[float, str]]
"""By the name of the axis, such as ``latent.scale``, the slice of each value, increasing."""


def numeric_axes(slice_ids: Sequence[str]) -> Axes:
    """Axes with several numeric values."""
    found: dict[str, dict[float, str]] = {}
    for slice_id in slice_ids:
        axis, _, value = slice_id.rpartition("=")
        if "&" not in slice_id and _is_number(value):
            found.setdefault(axis, {})[float(value)] = slice_id
    return {axis: dict(sorted(values.items())) for axis, values in found.items() if len(values) >= LEAST_VALUES}


def level_axes(inputs: ReportInputs) -> Axes:
    """The curves of the comparison over slices, whose levels may begin with the unchanged samples."""
    found: dict[str, dict[float, str]] = {}
    for curve in inputs.robustness.curves:
        found.setdefault(curve.curve, {}).update((point.level, point.slice) for point in curve.points)
    return {name: dict(sorted(levels.items())) for name, levels in found.items()}


def _axes_of(inputs: ReportInputs) -> Axes:
    return level_axes(inputs) or numeric_axes(slices(inputs.record))


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < 1e9
    except ValueError:
        return False


# --- for the chart -------------------------------------------------------------------------------------------------


def curve_chart(inputs: ReportInputs) -> dict[str, Any]:
    """JSON: ``metrics``, ``axes``, ``targets`` and ``lines``, of which each has its ``points``; empty without lines.

    A point is [level, value, low, high, INVALID as 0 or 1], in the unit of its metric.
    """
    index, where, axes = Index.of(inputs), targets(inputs.record), _axes_of(inputs)
    cells = {m.name: m for m in reversed(inputs.record.measurements) if m.higher_is_better is not None}
    lines = [
        {"metric": name, "axis": axis, "target": place, "model": model.name, "index": model.index,
         "points": [_knot(level, m, index.scale(cell)) for level, m in points.items()]}
        for name, cell in cells.items() for axis, values in axes.items() for place, target in enumerate(where)
        for model, points in _lines(index, values, name, target)
    ]  # fmt: skip
    drawn = {line["metric"] for line in lines}
    metrics = [_metric(name, cells[name], index) for name in groups_by_name(inputs) if name in drawn]
    return {"metrics": metrics, "axes": list(axes), "targets": where, "lines": lines} if lines else {}


def _metric(name: str, cell: Measurement, index: Index) -> dict[str, Any]:
    return {
        "name": name,
        "title": metric_title(name, cell.metric),
        "group": group_of(cell),
        "unit": index.scale(cell).unit,
        "higher": cell.higher_is_better,
    }


def _knot(level: float, m: Measurement, scale: Scale) -> list[float | None]:
    ends = (m.interval.low, m.interval.high) if m.interval else (None, None)
    return [
        level,
        *(None if end is None else float(f"{end / scale.divisor:.6g}") for end in (m.value, *ends)),
        int(bool(m.invalid)),
    ]


# --- figures -------------------------------------------------------------------------------------------------------

Panel = tuple[str, str]
"""The axis and the metric that a panel shows."""


def severity_figures(inputs: ReportInputs) -> list[Drawing]:
    """By target, one for each metric with a panel an axis; where there is one axis, a single one of all metrics."""
    index, axes = Index.of(inputs), _axes_of(inputs)
    ids = {slice_id for values in axes.values() for slice_id in values.values()}
    measured = [m for m in inputs.record.measurements if m.slice in ids and m.higher_is_better is not None]
    made = []
    for position, target in enumerate(targets(inputs.record), start=1):
        names = list(dict.fromkeys(m.name for m in measured if m.target == target))
        if len(axes) == 1:
            axis = next(iter(axes))
            groups = {f"By {plain(axis)} on {plain(target)}": [(axis, name) for name in names]}
        else:
            groups = {
                f"{_title(index, n, target)} by severity on {plain(target)}": [(a, n) for a in axes] for n in names
            }
        for number, (title, panels) in enumerate(groups.items(), start=1):
            made += severity(index, axes, panels, target, title, f"severity-{position}-{slug(target)}-{number}")
    return made


def severity(index: Index, axes: Axes, panels: Sequence[Panel], target: str, title: str, file: str) -> list[Drawing]:
    """The panels that have any line; dotted lines are the models on unchanged samples."""
    drawn = [(axis, name, _lines(index, axes[axis], name, target)) for axis, name in panels]
    drawn = [(axis, name, lines) for axis, name, lines in drawn if lines][:MOST_PANELS]
    if not drawn:
        return []
    columns = min(COLUMNS, len(drawn))
    rows = -(-len(drawn) // columns)
    with canvas(WIDTH, 0.7 + PANEL_INCHES * rows) as figure:
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        words = [
            f"{plain(axis)}, {_panel(panel, index, axis, name, target, lines)}"
            for panel, (axis, name, lines) in zip(grid, drawn, strict=False)
        ]
        for panel in grid[len(drawn) :]:
            panel.set_visible(False)
        handles, labels = _handles(grid[: len(drawn)])
        figure.legend(handles, labels, loc="outside upper left", ncols=5, frameon=False, labelcolor="linecolor")
        return [drawing(
            figure, file, title, "Bands are intervals; dotted lines are the models on unchanged samples.",
            f"Lines by severity. {'; '.join(words)}.",
        )]  # fmt: skip


def _panel(
    panel: Any, index: Index, axis: str, name: str, target: str, lines: Sequence[tuple[Model, dict[float, Measurement]]]
) -> str:
    """Draw one metric over one axis; the same in words."""
    cell = next(iter(lines[0][1].values()))
    scale = index.scale(cell)
    words = []
    for model, points in lines:
        words.append(_line(panel, model, points, scale.divisor))
        whole = index.cells.get((name, model.name, target, "all"))
        if isinstance(whole, Measurement):
            level = whole.value / scale.divisor
            panel.axhline(level, color=model.colour, linewidth=1, linestyle=":", alpha=0.7)
    title = f"{_title(index, name, target)} {'↑' if cell.higher_is_better else '↓'}"
    panel.set_ylabel(f"{title}{f' [{scale.unit}]' if scale.unit else ''}")
    panel.set_xlabel(plain(axis))
    panel.grid(visible=True)
    better = "higher" if cell.higher_is_better else "lower"
    return f"{title} ({better} is better), {', '.join(words)}"


def _title(index: Index, name: str, target: str) -> str:
    found = (cell.metric for key, cell in index.cells.items() if (key[0], key[2]) == (name, target))
    return plain(metric_title(name, next(found, name)))


def _lines(
    index: Index, values: Mapping[float, str], name: str, target: str
) -> list[tuple[Model, dict[float, Measurement]]]:
    """Models that have the metric at several values of the axis."""
    lines = []
    for model in index.models:
        cells = {value: index.cells.get((name, model.name, target, slice_id)) for value, slice_id in values.items()}
        measured = {value: cell for value, cell in cells.items() if isinstance(cell, Measurement)}
        if len(measured) >= LEAST_VALUES:
            lines.append((model, measured))
    return lines


def _line(panel: Any, model: Model, points: Mapping[float, Measurement], divisor: float) -> str:
    """Draw one model; the same in words."""
    xs = list(points)
    ys = [m.value / divisor for m in points.values()]
    panel.plot(xs, ys, color=model.colour, marker=model.marker, markersize=4.5, linewidth=1.6, label=short(model.name))
    bands = [(x, m.interval) for x, m in points.items() if m.interval]
    if len(bands) == len(xs):
        panel.fill_between(
            xs, [i.low / divisor for _, i in bands], [i.high / divisor for _, i in bands],
            color=model.colour, alpha=0.14, linewidth=0,
        )  # fmt: skip
    return f"{plain(model.name)}: " + ", ".join(f"{y:.4g} at {x:g}" for x, y in zip(xs, ys, strict=True))


def _handles(panels: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """One entry a model over all panels."""
    found: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
