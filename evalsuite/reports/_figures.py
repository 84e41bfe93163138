"""The figures: quality against latency, and the distribution of every model's latencies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import Family, Measurement, RunRecord, Timings
from evalsuite.reports._drawing import INK, Drawing, canvas, drawing
from evalsuite.reports._format import metric_title, number, plain, scale_for
from evalsuite.reports._models import Model, models, place, targets
from evalsuite.reports._tables import group_of
from evalsuite.reports.contract import ReportInputs

WIDTH = 9.0
"""Of a figure in inches; on the page it is as wide as the text."""
SHOWN_POINTS = 240
"""Points a model in a strip; more are thinned to evenly spaced quantiles, which keeps the shape and the extremes."""
LONGEST_NAME = 28


class Point(NamedTuple):
    """A model in the trade-off figure."""

    model: Model
    latency: Measurement
    quality: Measurement


def figures(inputs: ReportInputs) -> tuple[list[Drawing], list[Drawing]]:
    """Trade-off figures and latency figures, one a target where there is something to draw."""
    tradeoffs, latencies = [], []
    for position, target in enumerate(targets(inputs.record)):
        stem = f"{position + 1}-{slug(target)}"
        points = tradeoff_points(inputs.record, target)
        if points:
            tradeoffs.append(tradeoff(points, target, f"tradeoff-{stem}"))
        for scenario, timed in timed_scenarios(inputs.record, target).items():
            latencies.append(distribution(timed, scenario, target, f"latency-{stem}-{slug(scenario)}"))
    return tradeoffs, latencies


def slug(name: str) -> str:
    """A name as part of a file name: letters, digits and hyphens, at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "x"


def short(name: str) -> str:
    """A name that fits beside a point."""
    name = plain(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


# --- quality against latency ---------------------------------------------------------------------------------------


def tradeoff_points(record: RunRecord, target: str) -> list[Point]:
    """Models with both a latency and the first quality metric that has a direction."""
    over_all = [m for m in record.measurements if m.slice == "all" and m.target == target]
    latencies = [m for m in over_all if m.family is Family.LATENCY and m.unit == "s" and m.value > 0]
    median = [m for m in latencies if m.name.endswith("_p50")]
    qualities = [m for m in over_all if group_of(m) == "Quality" and m.higher_is_better is not None]
    fids = [m for m in qualities if m.metric == "fid"]
    x, y = _by_model(median or latencies), _by_model(fids or qualities)
    both = [model for model in models(record) if model.name in x and model.name in y]
    return [Point(model, x[model.name], y[model.name]) for model in both]


def _by_model(measurements: Sequence[Measurement]) -> dict[str, Measurement]:
    """Those of the first label among them."""
    return {m.model: m for m in measurements if m.name == measurements[0].name}


def pareto(points: Sequence[Point]) -> list[Point]:
    """Points that no other beats in both quality and latency, from fast to slow."""
    sign = -1.0 if points[0].quality.higher_is_better else 1.0
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.latency.value, sign * p.quality.value)):
        if not front or sign * point.quality.value < sign * front[-1].quality.value:
            front.append(point)
    return front


def tradeoff(points: Sequence[Point], target: str, name: str) -> Drawing:
    """Latency on a logarithmic axis, quality upright, both with their intervals."""
    quality, latency = points[0].quality, points[0].latency
    vertical = metric_title(quality.name, quality.metric)
    horizontal = metric_title(latency.name, latency.metric)
    scale = scale_for("s", Family.LATENCY, (p.latency.value for p in points))
    better = "higher" if quality.higher_is_better else "lower"
    with canvas(WIDTH, 4.1) as figure:
        axes = figure.subplots()
        axes.set_xscale("log")
        front = pareto(points)
        axes.plot(
            [p.latency.value / scale.divisor for p in front], [p.quality.value for p in front],
            color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1,
        )  # fmt: skip
        for point in points:
            _point(axes, point, scale.divisor)
        _plain_log_axis(axes)
        axes.margins(x=0.14, y=0.16)
        axes.grid(visible=True)
        axes.set_xlabel(f"{horizontal} [{scale.unit}], logarithmic; left is faster")
        axes.set_ylabel(f"{vertical}; {better} is better")
        _label(figure, axes, points, scale.divisor)
        listing = "; ".join(
            f"{plain(p.model.name)}: {vertical} {p.quality.value:.4g} "
            f"at {p.latency.value / scale.divisor:.4g} {scale.unit}{' (INVALID)' if p.latency.invalid else ''}"
            for p in points
        )
        return drawing(
            figure, name, f"{vertical} against {horizontal.lower()} on {plain(target)}",
            "Bars are the intervals of both values. The dashed line joins the models that no other beats in both. "
            "Hollow marks: INVALID timings.",
            f"Scatter plot of {vertical} ({better} is better) against {horizontal}. {listing}. "
            f"Not beaten in both: {', '.join(plain(p.model.name) for p in front)}.",
        )  # fmt: skip


def _point(axes: Any, point: Point, divisor: float) -> None:
    x, y = point.latency, point.quality
    color = point.model.colour
    if x.interval:
        low, high = max(x.interval.low, 1e-3 * x.value), x.interval.high
        axes.plot([low / divisor, high / divisor], [y.value, y.value], color=color, linewidth=1.6, zorder=2)
    if y.interval:
        axes.plot([x.value / divisor] * 2, [y.interval.low, y.interval.high], color=color, linewidth=1.6, zorder=2)
    size = 110 if point.model.marker == "*" else 46
    face = "none" if point.latency.invalid else color
    axes.scatter(
        [x.value / divisor], [y.value], s=size, marker=point.model.marker, facecolors=face, edgecolors=color,
        linewidths=1.4, zorder=3,
    )  # fmt: skip


def _plain_log_axis(axes: Any) -> None:
    """Ticks at 1, 2, 5 of each decade, written as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _label(figure: Any, axes: Any, points: Sequence[Point], divisor: float) -> None:
    """Write each name beside its point where no other name or point is; a legend where that fails."""
    from matplotlib.lines import Line2D
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # so that the positions just measured stay
    centres = [axes.transData.transform((p.latency.value / divisor, p.quality.value)) for p in points]
    taken = [Bbox([[x - 6, y - 6], [x + 6, y + 6]]) for x, y in centres]
    spots = [
        (dx, dy, "left" if dx > 0 else "right" if dx < 0 else "center")
        for distance in (1, 2, 3.5)
        for dx, dy in ((9, 7), (9, -14), (-9, 7), (-9, -14), (0, 12 * distance), (0, -20 * distance))
    ]
    frame = axes.get_window_extent()
    texts = []
    for point in points:
        for dx, dy, side in spots:
            text = axes.annotate(
                short(point.model.name), (point.latency.value / divisor, point.quality.value), (dx, dy),
                textcoords="offset points", ha=side, color=point.model.colour, fontweight="bold",
            )  # fmt: skip
            texts.append(text)
            box = text.get_window_extent()
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            texts.pop().remove()
        else:
            break
    if len(texts) == len(points):
        return
    for text in texts:
        text.remove()
    handles = [
        Line2D([], [], color=p.model.colour, marker=p.model.marker, linestyle="", label=short(p.model.name))
        for p in points
    ]
    figure.set_layout_engine("constrained")
    figure.legend(handles=handles, loc="outside right upper", frameon=False, labelcolor="linecolor")


# --- distributions of latencies ------------------------------------------------------------------------------------


class Timed(NamedTuple):
    """One model's raw values of a scenario."""

    model: Model
    timings: Timings
    values: NDArray[np.float64]


def timed_scenarios(record: RunRecord, target: str) -> dict[str, list[Timed]]:
    """Raw values in seconds over all samples, by scenario; models without any are left out."""
    by_name = {model.name: model for model in models(record)}
    found: dict[str, list[Timed]] = {}
    for timings in record.timings:
        where = place(record, timings.case_key)
        values = np.array([value for one_round in timings.values for value in one_round], dtype=np.float64)
        values = values[np.isfinite(values) & (values > 0)]
        model = by_name.get(where.model)
        timed = timings.unit == "s" and timings.schedule != "processes" and not timings.series
        if model and timed and where.target == target and where.slice == "all" and len(values):
            found.setdefault(timings.scenario, []).append(Timed(model, timings, values))
    order = list(by_name)
    return {name: sorted(timed, key=lambda t: order.index(t.model.name)) for name, timed in found.items()}


def distribution(timed: Sequence[Timed], scenario: str, target: str, name: str) -> Drawing:
    """A strip of raw values a model, with the quartiles as a box and the median and p90 as marks."""
    scale = scale_for("s", Family.LATENCY, (float(np.median(t.values)) for t in timed))
    with canvas(WIDTH, 1.0 + 0.52 * len(timed)) as figure:
        axes = figure.subplots()
        axes.set_xscale("log")
        for row, (model, timings, values) in enumerate(timed):
            _strip(axes, row, model, values / scale.divisor, valid=timings.valid)
        axes.set_yticks(range(len(timed)))
        names = [short(t.model.name) + ("" if t.timings.valid else "\nINVALID") for t in timed]
        for tick, one in zip(axes.set_yticklabels(names), timed, strict=True):
            tick.set_color(one.model.colour)
            tick.set_fontweight("bold")
        axes.set_ylim(len(timed) - 0.45, -0.55)
        axes.tick_params(axis="y", length=0)
        _plain_log_axis(axes)
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"time a call [{scale.unit}], logarithmic; left is faster")
        listing = "; ".join(_in_words(t, scale.divisor, scale.unit) for t in timed)
        batch = timed[0].timings.batch_size
        return drawing(
            figure, name, f"{plain(scenario).replace('_', ' ').capitalize()} on {plain(target)}, batch of {batch}",
            "Each dot is one timed call; the box spans the quartiles, the line is the median, the tick p90. "
            "Hollow dots: the protocol was not kept, so the numbers are INVALID.",
            f"Distribution of the time a call takes. {listing}.",
        )  # fmt: skip


def _strip(axes: Any, row: int, model: Model, values: NDArray[np.float64], *, valid: bool) -> None:
    shown = values
    if len(values) > SHOWN_POINTS:
        shown = np.quantile(values, np.linspace(0, 1, SHOWN_POINTS))
    # A fixed low-discrepancy sequence spreads the dots: the same picture every time, no random state.
    heights = row + 0.24 * (2 * ((np.arange(len(shown)) * 0.618034) % 1) - 1)
    axes.scatter(
        shown, heights, s=9, color=model.colour if valid else "none", edgecolors=model.colour, alpha=0.55,
        linewidths=0 if valid else 0.7, zorder=2,
    )  # fmt: skip
    first, median, third, p90 = np.quantile(values, [0.25, 0.5, 0.75, 0.9])
    box = ([first, third, third, first], [row - 0.3, row - 0.3, row + 0.3, row + 0.3])
    axes.fill(*box, facecolor=model.colour, alpha=0.18)
    axes.plot([median, median], [row - 0.34, row + 0.34], color=model.colour, linewidth=2.4, zorder=3)
    axes.plot([p90, p90], [row - 0.18, row + 0.18], color=model.colour, linewidth=1.6, zorder=3)


def _in_words(timed: Timed, divisor: float, unit: str) -> str:
    median, p90 = np.quantile(timed.values, [0.5, 0.9]) / divisor
    validity = "VALID" if timed.timings.valid else f"INVALID ({plain(timed.timings.reason)})"
    return f"{plain(timed.model.name)}: median {number(median, 2)} {unit}, p90 {number(p90, 2)} {unit}, {validity}"
