"""Figures of the raw timings: distributions of calls, parts that add up, throughput by batch size, peaks of memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from evalsuite.records import Family, RunRecord
from evalsuite.reports._drawing import INK, WIDTH, Drawing, canvas, drawing, plain_log_axis
from evalsuite.reports._format import Scale, number, plain, scale_for
from evalsuite.reports._models import short, slug, targets
from evalsuite.reports._serving import serving_figures
from evalsuite.reports._sessions import Timed, Values, kind_of, scenario_title, sessions, setting

SHOWN_POINTS = 120
"""Points a model in a strip; more are thinned to evenly spaced quantiles, which keeps the shape and the extremes."""
PART_COLOURS = ("#0284c7", "#d55e00", "#0d9f78", "#c2559d", "#b58a00", "#7c6fe0")


class Sum(NamedTuple):
    """A scenario whose series are parts that add up: what of, how to read it, whether every whole is a dot too."""

    of: str
    caption: str
    dots: bool = True


SUMS = {
    "stages": Sum("mean time", "Where the time of a call goes; parts add up to the whole.", dots=False),
    "cold_start": Sum(
        "mean time",
        "From a process without the model to its first image; libraries were imported before. Each dot is a process.",
    ),
    "energy": Sum(
        "mean energy an image",
        "By the device's own counters, idle power and other programs included. Each dot is a turn.",
    ),
}
NO_PARTS = ("", "plain", "denoise_step", "clock", "waiting")
"""Their series that are none: the whole, calls without a probe, the steps that ``denoise`` holds together, unrest."""
ORDER = ("load", "first_call", "text_encoder", "denoise", "decode", "rest")
"""In which parts follow one another; those with other names come last."""
CALLS = {
    "server": ("response time", "request, from its arrival to its image"),
    "realtime": ("time to show a frame", "frame, from its release until it or a newer one is shown"),
}
"""What is timed in scenarios where it is not a call."""


def speed_figures(record: RunRecord) -> dict[str, list[Drawing]]:
    """By target, what its timings show."""
    found = sessions(record)
    made: dict[str, list[Drawing]] = {}
    for position, target in enumerate(targets(record), start=1):
        figures = []
        batches = [scenario for scenario in found.get(target, {}) if kind_of(scenario) == "offline"]
        for scenario, timed in found.get(target, {}).items():
            name = f"{position}-{slug(target)}-{slug(scenario)}"
            if kind_of(scenario) in SUMS:
                figures += parts(timed, scenario, target, f"parts-{name}")
            elif timed[0].timings.unit == "bytes":
                figures += memory(timed, target, f"memory-{name}")
            elif timed[0].timings.unit == "s" and (len(batches) < 2 or scenario not in batches):
                figures += distribution(timed, scenario, target, f"latency-{name}")
        if len(batches) > 1:
            swept = [found[target][scenario] for scenario in batches]
            figures += batch_sweep(swept, target, f"batches-{position}-{slug(target)}")
        figures += serving_figures(record, target, f"{position}-{slug(target)}")
        if figures:
            made[target] = figures
    return made


# --- distributions -------------------------------------------------------------------------------------------------


def distribution(timed: Sequence[Timed], scenario: str, target: str, name: str) -> list[Drawing]:
    """A strip of raw values a model, with the quartiles as a box and the median and p90 as marks."""
    shown = [(one, one.values[one.values > 0]) for one in timed]
    shown = [(one, values) for one, values in shown if len(values)]
    if not shown:
        return []
    scale = scale_for("s", Family.LATENCY, (float(np.median(values)) for _, values in shown))
    name_of_time, what = CALLS.get(kind_of(scenario), ("time a call", "timed call"))
    fps = setting(scenario, "fps")
    deadline = 1 / fps if fps else None
    with canvas(WIDTH, 1.0 + 0.52 * len(shown)) as figure:
        axes = figure.subplots()
        axes.set_xscale("log")
        if deadline:
            axes.axvline(deadline / scale.divisor, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        for row, (one, values) in enumerate(shown):
            _strip(axes, row, one, values / scale.divisor)
        _rows(axes, [one for one, _ in shown])
        plain_log_axis(axes.xaxis)
        axes.set_xlabel(f"{name_of_time} [{scale.unit}], logarithmic; left is faster")
        listing = "; ".join(_in_words(one, values, scale, deadline) for one, values in shown)
        batch = shown[0][0].timings.batch_size
        return [drawing(
            figure, name, f"{plain(scenario_title(scenario))} on {plain(target)}, batch of {batch}",
            f"Each dot is one {what}; the box spans the quartiles, the line is the median, the tick p90. "
            f"{'The dashed line is when a frame is due. ' if deadline else ''}"
            "Hollow dots: the protocol was not kept, so the numbers are INVALID.",
            f"Distribution of the {name_of_time}. {listing}.",
        )]  # fmt: skip


def _strip(axes: Any, row: int, one: Timed, values: Values) -> None:
    shown = values if len(values) <= SHOWN_POINTS else np.quantile(values, np.linspace(0, 1, SHOWN_POINTS))
    # A fixed low-discrepancy sequence spreads the dots: the same picture every time, no random state.
    heights = row + 0.24 * (2 * ((np.arange(len(shown)) * 0.618034) % 1) - 1)
    colour, valid = one.model.colour, one.timings.valid
    axes.scatter(
        shown, heights, s=9, color=colour if valid else "none", edgecolors=colour, alpha=0.55,
        linewidths=0 if valid else 0.7, zorder=2,
    )  # fmt: skip
    first, median, third, p90 = np.quantile(values, [0.25, 0.5, 0.75, 0.9])
    axes.fill([first, third, third, first], row + np.array([-0.3, -0.3, 0.3, 0.3]), facecolor=colour, alpha=0.18)
    axes.plot([median, median], [row - 0.34, row + 0.34], color=colour, linewidth=2.4, zorder=3)
    axes.plot([p90, p90], [row - 0.18, row + 0.18], color=colour, linewidth=1.6, zorder=3)


def _rows(axes: Any, timed: Sequence[Timed]) -> None:
    """Models downwards, each name in its colour."""
    names = [short(one.model.name) + ("" if one.timings.valid else "\nINVALID") for one in timed]
    axes.set_yticks(range(len(timed)))
    for tick, one in zip(axes.set_yticklabels(names), timed, strict=True):
        tick.set_color(one.model.colour)
        tick.set_fontweight("bold")
    axes.set_ylim(len(timed) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)


def _in_words(one: Timed, values: Values, scale: Scale, deadline: float | None) -> str:
    median, p90 = np.quantile(values, [0.5, 0.9]) / scale.divisor
    late = f", {np.mean(values > deadline):.0%} late" if deadline else ""
    return f"{_named(one)}: median {number(median, 2)} {scale.unit}, p90 {number(p90, 2)} {scale.unit}{late}"


def _named(one: Timed) -> str:
    validity = "VALID" if one.timings.valid else f"INVALID, {plain(one.timings.reason)}"
    return f"{plain(one.model.name)} ({validity})"


# --- parts that add up ---------------------------------------------------------------------------------------------


def parts(timed: Sequence[Timed], scenario: str, target: str, name: str) -> list[Drawing]:
    """Mean of each part, end to end, one bar a model."""
    names = list(dict.fromkeys(part for one in timed for part in one.series if part not in NO_PARTS))
    names.sort(key=lambda part: ORDER.index(part) if part in ORDER else len(ORDER))
    means = {part: np.array([float(np.mean(one.series.get(part, [0.0]))) for one in timed]) for part in names}
    total = sum(means.values(), np.zeros(len(timed)))
    if not total.any():
        return []
    scale = scale_for(timed[0].timings.unit, Family.LATENCY, total)
    of, caption, dots = SUMS[kind_of(scenario)]
    with canvas(WIDTH, 1.3 + 0.42 * len(timed)) as figure:
        axes = figure.subplots()
        start = np.zeros(len(timed))
        for position, (part, widths) in enumerate(means.items()):
            colour = PART_COLOURS[position % len(PART_COLOURS)]
            label = plain(part.replace("_", " "))
            axes.barh(range(len(timed)), widths / scale.divisor, 0.6, start / scale.divisor, color=colour, label=label)
            start += widths
        for row, (one, whole) in enumerate(zip(timed, total / scale.divisor, strict=True)):
            wholes = one.values / scale.divisor if dots else np.empty(0)
            axes.scatter(wholes, [row] * len(wholes), s=16, color="white", edgecolors=INK, linewidths=0.8, zorder=3)
            text = f"{number(whole, 2 if whole < 100 else 0)} {scale.unit}"
            axes.annotate(text, (max([whole, *wholes]), row), (5, 0), textcoords="offset points", va="center")
        _rows(axes, timed)
        axes.margins(x=0.1)
        axes.set_xlim(left=0)
        axes.set_xlabel(f"{of} [{scale.unit}]; shorter is better")
        figure.legend(loc="outside upper left", ncols=len(names), frameon=False)
        listing = "; ".join(
            f"{_named(one)}: "
            + ", ".join(f"{plain(part)} {number(means[part][row] / scale.divisor, 2)} {scale.unit}" for part in names)
            for row, one in enumerate(timed)
        )
        return [drawing(
            figure, name, f"{plain(scenario_title(scenario))} on {plain(target)}", caption,
            f"Stacked bars of the {of}, by part. {listing}.",
        )]  # fmt: skip


# --- throughput by batch size, memory ------------------------------------------------------------------------------


def batch_sweep(swept: Sequence[Sequence[Timed]], target: str, name: str) -> list[Drawing]:
    """Images a second by batch size, a line a model; bars span the quartiles of the batches."""
    lines: dict[int, list[tuple[int, Values, Timed]]] = {}
    for timed in swept:
        for one in timed:
            seconds = one.values[one.values > 0]
            if len(seconds):
                batch = one.timings.batch_size
                rates = np.quantile(batch / seconds, [0.25, 0.5, 0.75])
                lines.setdefault(one.model.index, []).append((batch, rates, one))
    if not lines:
        return []
    words = []
    with canvas(WIDTH, 3.8) as figure:
        axes = figure.subplots()
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        for line in lines.values():
            line.sort(key=lambda point: point[0])
            model, batches = line[0][2].model, [batch for batch, _, _ in line]
            low, middle, high = np.transpose([rates for _, rates, _ in line])
            style = {"color": model.colour, "marker": model.marker, "label": short(model.name)}
            axes.errorbar(batches, middle, [middle - low, high - middle], linewidth=1.6, markersize=5.5, **style)
            told = ", ".join(f"{batch}: {rate:.4g}" for batch, rate in zip(batches, middle, strict=True))
            words.append(f"{plain(model.name)} by batch size {told}")
        sizes = sorted({batch for line in lines.values() for batch, _, _ in line})
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        plain_log_axis(axes.yaxis)
        axes.grid(visible=True)
        axes.set_xlabel("batch size, logarithmic")
        axes.set_ylabel("images/s, logarithmic")
        figure.legend(loc="outside right upper", frameon=False, labelcolor="linecolor")
        return [drawing(
            figure, name, f"Throughput by batch size on {plain(target)}",
            "The median of the batches; bars span the quartiles. Where a line bends flat, larger batches win nothing.",
            f"Lines of images a second against batch size. {'; '.join(words)}.",
        )]  # fmt: skip


def memory(timed: Sequence[Timed], target: str, name: str) -> list[Drawing]:
    """The largest peak of any process as a bar, the peak of each stage as a mark on it."""
    shown = [one for one in timed if len(one.values)]
    if not shown:
        return []
    scale = scale_for("bytes", Family.MEMORY, (float(one.values.max()) for one in shown))
    stages = list(dict.fromkeys(part for one in shown for part in one.series if part))
    with canvas(WIDTH, 1.3 + 0.42 * len(shown)) as figure:
        axes = figure.subplots()
        words = []
        for row, one in enumerate(shown):
            axes.barh(row, one.values.max() / scale.divisor, 0.6, color=one.model.colour, alpha=0.35)
            axes.scatter(one.values / scale.divisor, [row] * len(one.values), s=16, color=one.model.colour, zorder=3)
            peaks = {part: float(values.max()) / scale.divisor for part, values in one.series.items() if len(values)}
            told = ", ".join(f"{plain(part) or 'peak'} {number(peak, 1)} {scale.unit}" for part, peak in peaks.items())
            words.append(f"{_named(one)}: {told}")
        for position, part in enumerate(stages):
            rows = [row for row, one in enumerate(shown) if len(one.series.get(part, ()))]
            peaks_of = [shown[row].series[part].max() / scale.divisor for row in rows]
            label = plain(part.replace("_", " "))
            axes.scatter(
                peaks_of, rows, s=120, marker="|", linewidths=2.2, zorder=2, label=label,
                color=PART_COLOURS[position % len(PART_COLOURS)],
            )  # fmt: skip
        _rows(axes, shown)
        axes.set_xlim(left=0)
        axes.set_xlabel(f"peak memory [{scale.unit}]; left is less")
        if stages:
            figure.legend(loc="outside upper left", ncols=len(stages), frameon=False)
        return [drawing(
            figure, name, f"Peak memory on {plain(target)}",
            "Above the same process without the model. Each dot is a fresh process; strokes are the peaks of stages.",
            f"Bars of peak memory. {'; '.join(words)}.",
        )]  # fmt: skip
