"""Quality against what it costs: one figure a target, and the numbers for the chart whose axes the reader chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from evalsuite.records import Curve, Family, Front, Measurement, RunRecord
from evalsuite.reports._drawing import INK, WIDTH, Drawing, canvas, drawing, plain_log_axis
from evalsuite.reports._format import Scale, metric_title, plain, scale_for
from evalsuite.reports._models import Model, models, short, slug, targets
from evalsuite.reports._tables import group_of
from evalsuite.reports.contract import ReportInputs

PANEL_INCHES = 3.6


class Point(NamedTuple):
    """A model between quality and price."""

    model: Model
    price: Measurement
    quality: Measurement


# --- which models --------------------------------------------------------------------------------------------------


def points(record: RunRecord, target: str, quality: str, price: str) -> list[Point]:
    """Models that have both on this target, the price above 0: its axis is logarithmic."""
    cells = {(m.name, m.model): m for m in record.measurements if m.slice == "all" and m.target == target}
    found = [(model, cells.get((price, model.name)), cells.get((quality, model.name))) for model in models(record)]
    return [Point(model, price, quality) for model, price, quality in found if price and quality and price.value > 0]


def pareto(shown: Sequence[Point]) -> list[Point]:
    """Points that no other beats in both, by their values alone, from the lowest price to the highest."""
    sign = -1.0 if shown[0].quality.higher_is_better else 1.0
    front: list[Point] = []
    for point in sorted(shown, key=lambda p: (p.price.value, sign * p.quality.value)):
        if not front or sign * point.quality.value < sign * front[-1].quality.value:
            front.append(point)
    return front


# --- for the chart -------------------------------------------------------------------------------------------------


def chart(inputs: ReportInputs) -> dict[str, Any]:
    """JSON: ``axes`` (metrics that have a direction), ``spots`` (a case with its values), ``fronts`` and ``curves``.

    A value is [value, low, high, INVALID as 0 or 1], in the unit of its axis. Empty where nothing has a direction.
    """
    record = inputs.record
    index = {model.name: model.index for model in models(record)}
    shown = [m for m in record.measurements if m.higher_is_better is not None and _on_chart(m.slice)]
    by_name: dict[str, list[Measurement]] = {}
    for m in shown:
        by_name.setdefault(m.name, []).append(m)
    scales = {name: scale_for(m[0].unit, m[0].family, (one.value for one in m)) for name, m in by_name.items()}
    spots: dict[str, dict[str, Any]] = {}
    for m in shown:
        if m.model in index:
            spot = {"model": m.model, "index": index[m.model], "target": m.target, "slice": m.slice, "values": {}}
            spots.setdefault(m.case_key, spot)["values"][m.name] = _value(m, scales[m.name])
    return {
        "axes": [_axis(name, cells[0], scales[name]) for name, cells in by_name.items()],
        "spots": spots,
        "targets": targets(record),
        "quality": inputs.tradeoffs.quality or next((m.name for m in shown if not m.profiled), ""),
        "prices": inputs.tradeoffs.prices,
        "fronts": [_front(front) for front in inputs.tradeoffs.fronts],
        "curves": [_curve(curve) for curve in inputs.tradeoffs.curves],
    }


def _on_chart(slice_id: str) -> bool:
    return slice_id == "all" or slice_id.startswith("num_steps=")


def _axis(name: str, cell: Measurement, scale: Scale) -> dict[str, Any]:
    return {
        "name": name,
        "title": metric_title(name, cell.metric),
        "group": group_of(cell),
        "unit": scale.unit,
        "higher": cell.higher_is_better,
        "log": cell.family in (Family.LATENCY, Family.MEMORY, Family.COUNT),
    }


def _value(m: Measurement, scale: Scale) -> list[float | None]:
    low, high = (m.interval.low / scale.divisor, m.interval.high / scale.divisor) if m.interval else (None, None)
    return [m.value / scale.divisor, low, high, int(bool(m.invalid))]


def _front(front: Front) -> dict[str, Any]:
    places = {standing.case_key: standing.place for standing in front.standings}
    return {"target": front.target, "quality": front.quality, "price": front.price, "places": places}


def _curve(curve: Curve) -> dict[str, Any]:
    return {"models": curve.models, "num_steps": curve.num_steps}


# --- the figure ----------------------------------------------------------------------------------------------------


def tradeoff_figures(inputs: ReportInputs) -> list[Drawing]:
    """One for each target that has models with a quality and a price."""
    record, found = inputs.record, inputs.tradeoffs
    made = []
    for position, target in enumerate(targets(record), start=1):
        panels = {name: points(record, target, found.quality, name) for name in found.prices}
        panels = {name: shown for name, shown in panels.items() if shown}
        if panels:
            name = f"tradeoff-{position}-{slug(target)}"
            made.append(tradeoff(panels, target, name, [curve.models for curve in found.curves]))
    return made


def tradeoff(
    panels: Mapping[str, Sequence[Point]], target: str, name: str, curves: Sequence[Sequence[str]] = ()
) -> Drawing:
    """Prices on logarithmic axes, quality upright, both with their intervals.

    Args:
        panels: the points by the label of the price; all of one quality metric.
        curves: names of models that one line joins.
    """
    first = next(iter(panels.values()))[0].quality
    vertical = metric_title(first.name, first.metric)
    better = "higher" if first.higher_is_better else "lower"
    with canvas(max(WIDTH, PANEL_INCHES * len(panels)), 4.1 if len(panels) == 1 else 3.8) as figure:
        row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        words = []
        for axes, shown in zip(row, panels.values(), strict=True):
            words.append(_panel(axes, shown, vertical, curves))
        row[0].set_ylabel(f"{vertical}; {better} is better")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # so that the positions just measured stay
        named = [_label(axes, shown) for axes, shown in zip(row, panels.values(), strict=True)]
        if not all(named):
            _legend(figure, {p.model.index: p.model for shown in panels.values() for p in shown}.values())
        prices = " and ".join(metric_title(price, shown[0].price.metric).lower() for price, shown in panels.items())
        return drawing(
            figure, name, f"{vertical} against {prices} on {plain(target)}",
            "Bars are the intervals of both values. The dashed line joins the models whose values no other beats in "
            "both; solid lines join one model at several numbers of steps. Hollow marks: INVALID.",
            f"Scatter plot of {vertical} ({better} is better). {' '.join(words)}",
        )  # fmt: skip


def _panel(axes: Any, shown: Sequence[Point], vertical: str, curves: Sequence[Sequence[str]]) -> str:
    """Draw one price; the same in words."""
    price = shown[0].price
    scale = scale_for(price.unit, price.family, (p.price.value for p in shown))
    horizontal = metric_title(price.name, price.metric)
    axes.set_xscale("log")
    front = pareto(shown)
    axes.plot(
        [p.price.value / scale.divisor for p in front], [p.quality.value for p in front],
        color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1,
    )  # fmt: skip
    for names in curves:
        line = sorted((p for p in shown if p.model.name in names), key=lambda p: names.index(p.model.name))
        axes.plot(
            [p.price.value / scale.divisor for p in line], [p.quality.value for p in line],
            color=INK, linewidth=1.0, alpha=0.6, zorder=1,
        )  # fmt: skip
    for point in shown:
        _point(axes, point, scale.divisor)
    plain_log_axis(axes.xaxis)
    axes.margins(x=0.16, y=0.16)
    axes.grid(visible=True)
    axes.set_xlabel(f"{horizontal}{f' [{scale.unit}]' if scale.unit else ''}, logarithmic; left is less")
    listing = "; ".join(
        f"{plain(p.model.name)}: {vertical} {p.quality.value:.4g} at {p.price.value / scale.divisor:.4g} {scale.unit}"
        f"{' (INVALID)' if p.price.invalid or p.quality.invalid else ''}"
        for p in shown
    )
    return f"By {horizontal}: {listing}. Not beaten in both: {', '.join(plain(p.model.name) for p in front)}."


def _point(axes: Any, point: Point, divisor: float) -> None:
    x, y = point.price, point.quality
    color = point.model.colour
    if x.interval:
        low, high = max(x.interval.low, 1e-3 * x.value), x.interval.high
        axes.plot([low / divisor, high / divisor], [y.value, y.value], color=color, linewidth=1.6, zorder=2)
    if y.interval:
        axes.plot([x.value / divisor] * 2, [y.interval.low, y.interval.high], color=color, linewidth=1.6, zorder=2)
    axes.scatter(
        [x.value / divisor], [y.value], s=110 if point.model.marker == "*" else 46, marker=point.model.marker,
        facecolors="none" if x.invalid or y.invalid else color, edgecolors=color, linewidths=1.4, zorder=3,
    )  # fmt: skip


def _label(axes: Any, shown: Sequence[Point]) -> bool:
    """Write each name beside its point where no other name or point is; False, and none of them, where that fails."""
    from matplotlib.transforms import Bbox

    price = shown[0].price
    divisor = scale_for(price.unit, price.family, (p.price.value for p in shown)).divisor
    centres = [axes.transData.transform((p.price.value / divisor, p.quality.value)) for p in shown]
    taken = [Bbox([[x - 6, y - 6], [x + 6, y + 6]]) for x, y in centres]
    spots = [
        (dx, dy, "left" if dx > 0 else "right" if dx < 0 else "center")
        for distance in (1, 2, 3.5)
        for dx, dy in ((9, 7), (9, -14), (-9, 7), (-9, -14), (0, 12 * distance), (0, -20 * distance))
    ]
    frame = axes.get_window_extent()
    texts: list[Any] = []
    for point in shown:
        for dx, dy, side in spots:
            text = axes.annotate(
                short(point.model.name), (point.price.value / divisor, point.quality.value), (dx, dy),
                textcoords="offset points", ha=side, color=point.model.colour, fontweight="bold",
            )  # fmt: skip
            box = text.get_window_extent()
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                texts.append(text)
                break
            text.remove()
        else:
            for text in texts:
                text.remove()
            return False
    return True


def _legend(figure: Any, shown: Iterable[Model]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=model.colour, marker=model.marker, linestyle="", label=short(model.name))
        for model in shown
    ]
    figure.set_layout_engine("constrained")
    figure.legend(handles=handles, loc="outside right upper", frameon=False, labelcolor="linecolor")
