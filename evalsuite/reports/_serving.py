"""Figures of requests and frames that come by the clock: response times by rate, late frames by frame rate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from evalsuite.records import Interval, Measurement, RunRecord
from evalsuite.reports._drawing import INK, WIDTH, Drawing, canvas, drawing, plain_log_axis
from evalsuite.reports._format import Scale, metric_title, plain, scale_for
from evalsuite.reports._models import Model, models, short
from evalsuite.reports._sessions import setting

FRAMES = ("deadline_misses", "longest_stall", "jitter")
"""Metrics of the scenario ``realtime``, one panel each."""
STRICTEST = 99
"""The percentile of a search that names none."""
ROOM = 1.3
"""Factor beyond the lowest and highest value of a logarithmic axis, so that a single value has some too."""
DODGE = 0.09
"""Between two models at one frame rate, of the distance between two frame rates."""


def serving_figures(record: RunRecord, target: str, name: str) -> list[Drawing]:
    """Those that the measurements on one target bear; ``name`` is what their files' names end with."""
    by_name = {model.name: model for model in models(record)}
    cells = [(by_name[m.model], m) for m in record.measurements if (m.target, m.slice) == (target, "all")]
    return [*response_times(cells, target, f"rates-{name}"), *frames(cells, target, f"frames-{name}")]


Cells = Sequence[tuple[Model, Measurement]]


def _scenario(cell: Measurement) -> str:
    return str(cell.protocol.get("scenario", ""))


# --- requests ------------------------------------------------------------------------------------------------------


class Search(NamedTuple):
    """What a highest rate was searched for: a percentile of the response times that may reach a bound, in seconds."""

    percentile: int
    bound: float


def response_times(cells: Cells, target: str, name: str) -> list[Drawing]:
    """Percentiles of the response times against the rate, a panel each, with the highest rates that keep a bound.

    The panels are of the percentiles that were searched for, else of the highest that was measured. A single rate
    without a search has no figure: the distribution tells all of it.
    """
    found = [(model, m, search) for model, m in cells if m.metric == "server_rate" and (search := _search(m))]
    measured = [(model, m, rate) for model, m in cells if (rate := setting(_scenario(m), "rate")) and _percentile(m)]
    if not found and len({rate for _, _, rate in measured}) < 2:
        return []
    percentiles = {search.percentile for _, _, search in found} or {max(_percentile(m) for _, m, _ in measured)}
    scale = scale_for("s", measured[0][1].family if measured else found[0][1].family, [
        *(m.value for _, m, _ in measured), *(search.bound for _, _, search in found)
    ])  # fmt: skip
    with canvas(WIDTH, 4.0) as figure:
        row = figure.subplots(1, len(percentiles), squeeze=False)[0]
        words = []
        for panel, percentile in zip(row, sorted(percentiles), strict=True):
            lines = [(model, m, rate) for model, m, rate in measured if _percentile(m) == percentile]
            ends = [(model, m, search) for model, m, search in found if search.percentile == percentile]
            words += [f"p{percentile} of {text}" for text in _requests(panel, lines, ends, scale)]
            panel.set_ylabel(f"p{percentile} of response times [{scale.unit}], logarithmic")
        _legend(figure, [model for model, _, _ in (*measured, *found)])
        return [drawing(
            figure, name, f"Response times by the rate of requests on {plain(target)}",
            "Requests come at random; lower is faster, and further right is more of them. Bars are intervals. Ringed "
            "marks are the highest rates at which the percentile keeps a bound (dashed), as found by search. Hollow "
            "marks: INVALID, as where a model serves fewer than come.",
            f"Lines of response times against requests a second. {'; '.join(words)}.",
        )]  # fmt: skip


def _search(cell: Measurement) -> Search | None:
    bound = setting(_scenario(cell), "bound")
    return Search(int(setting(_scenario(cell), "percentile") or STRICTEST), bound) if bound else None


def _percentile(cell: Measurement) -> int:
    """90 of a label that ends in ``_p90``; 0 of others."""
    found = re.search(r"_p(\d\d?)$", cell.name) if cell.metric == "server_latency" else None
    return int(found[1]) if found else 0


def _requests(
    panel: Any,
    lines: Sequence[tuple[Model, Measurement, float]],
    ends: Sequence[tuple[Model, Measurement, Search]],
    scale: Scale,
) -> Iterable[str]:
    """Draw one percentile; the same in words."""
    panel.set_xscale("log")
    panel.set_yscale("log")
    for bound in {search.bound for _, _, search in ends}:
        panel.axhline(bound / scale.divisor, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        panel.annotate(
            f"bound\n{bound / scale.divisor:g} {scale.unit}", (1, bound / scale.divisor), (4, 0),
            xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
        )  # fmt: skip
    for model in _in_order(model for model, _, _ in (*lines, *ends)):
        own = sorted(((m, rate) for one, m, rate in lines if one == model), key=lambda point: point[1])
        rates, times = [rate for _, rate in own], [m.value / scale.divisor for m, _ in own]
        panel.plot(rates, times, color=model.colour, linewidth=1.6, zorder=2)
        for m, rate in own:
            _bar(panel, model, [rate, rate], _ends(m.interval, scale.divisor))
            _mark(panel, model, rate, m.value / scale.divisor, m)
        told = [f"{time:.4g} {scale.unit} at {rate:g}{_doubt(m)}" for time, (m, rate) in zip(times, own, strict=True)]
        for m, search in ((m, search) for one, m, search in ends if one == model):
            bound = search.bound / scale.divisor
            _bar(panel, model, _ends(m.interval), [bound, bound])
            _mark(panel, model, m.value, bound, m)
            panel.scatter([m.value], [bound], s=190, facecolors="none", edgecolors=model.colour, linewidths=1.2)
            told.append(f"at most {m.value:.4g} requests/s within {bound:.4g} {scale.unit}{_doubt(m)}")
        yield f"{plain(model.name)}: {', '.join(told)}"
    plain_log_axis(panel.xaxis)
    plain_log_axis(panel.yaxis)
    for low, high, limit in (*panel.get_xlim(), panel.set_xlim), (*panel.get_ylim(), panel.set_ylim):
        limit(low / ROOM, high * ROOM)
    panel.grid(visible=True)
    panel.set_xlabel("requests/s, logarithmic")


# --- frames --------------------------------------------------------------------------------------------------------


def frames(cells: Cells, target: str, name: str) -> list[Drawing]:
    """Late frames, stalls and jitter against the frame rate, a panel each.

    Misses at a single rate have no figure: the distribution of the frames' times tells them.
    """
    shown = [(model, m, fps) for model, m in cells if m.metric in FRAMES and (fps := setting(_scenario(m), "fps"))]
    metrics = [metric for metric in FRAMES if any(m.metric == metric for _, m, _ in shown)]
    if not shown or (metrics == ["deadline_misses"] and len({fps for _, _, fps in shown}) == 1):
        return []
    with canvas(WIDTH, 3.4) as figure:
        row = figure.subplots(1, len(metrics), squeeze=False)[0]
        words = [
            _frames(panel, [(model, m, fps) for model, m, fps in shown if m.metric == metric])
            for panel, metric in zip(row, metrics, strict=True)
        ]
        _legend(figure, [model for model, _, _ in shown])
        return [drawing(
            figure, name, f"Frames by the clock on {plain(target)}",
            "A frame is wanted at every tick, and dropped if the model is not ready. Bars are intervals; the grey line "
            "is how long a frame lasts, which no stall undercuts. Hollow marks: INVALID.",
            f"Marks by frames a second. {' '.join(words)}",
        )]  # fmt: skip


def _frames(panel: Any, shown: Sequence[tuple[Model, Measurement, float]]) -> str:
    """Draw one metric; the same in words."""
    first = shown[0][1]
    scale = scale_for(first.unit, first.family, (m.value for _, m, _ in shown))
    title = metric_title(first.metric, first.metric)
    rates, drawn = sorted({fps for _, _, fps in shown}), _in_order(model for model, _, _ in shown)
    words = []
    for place, model in enumerate(drawn):
        own = sorted(((m, fps) for one, m, fps in shown if one == model), key=lambda point: point[1])
        xs = [rates.index(fps) + DODGE * (place - (len(drawn) - 1) / 2) for _, fps in own]
        ys = [m.value / scale.divisor for m, _ in own]
        panel.plot(xs, ys, color=model.colour, linewidth=1.6, zorder=2)
        for x, y, (m, _) in zip(xs, ys, own, strict=True):
            _bar(panel, model, [x, x], _ends(m.interval, scale.divisor))
            _mark(panel, model, x, y, m)
        told = [f"{y:.3g} at {fps:g}{_doubt(m)}" for y, (m, fps) in zip(ys, own, strict=True)]
        words.append(f"{plain(model.name)}: {', '.join(told)}")
    if first.metric == "longest_stall":
        for x, fps in enumerate(rates):
            panel.plot([x - 0.35, x + 0.35], [1 / fps / scale.divisor] * 2, color=INK, linewidth=1.2, zorder=1)
    panel.set_xticks(range(len(rates)), [f"{fps:g}" for fps in rates])
    panel.set_xlim(-0.6, len(rates) - 0.4)
    panel.set_ylim(*((-0.04, 1.04) if first.metric == "deadline_misses" else (0, None)))
    panel.grid(visible=True, axis="y")
    panel.set_xlabel("frames/s")
    unit = f" [{scale.unit}]" if scale.unit else ", share of frames" if first.metric == "deadline_misses" else ""
    panel.set_ylabel(f"{title}{unit} ↓")
    return f"{title}{unit}: {'; '.join(words)}."


# --- both ----------------------------------------------------------------------------------------------------------


def _ends(interval: Interval | None, divisor: float = 1.0) -> list[float]:
    return [interval.low / divisor, interval.high / divisor] if interval else []


def _bar(panel: Any, model: Model, xs: Sequence[float], ys: Sequence[float]) -> None:
    if xs and ys:
        panel.plot(xs, ys, color=model.colour, linewidth=1.6, zorder=2)


def _mark(panel: Any, model: Model, x: float, y: float, cell: Measurement) -> None:
    panel.scatter(
        [x], [y], s=110 if model.marker == "*" else 46, marker=model.marker, zorder=3, linewidths=1.4,
        facecolors="none" if cell.invalid else model.colour, edgecolors=model.colour,
    )  # fmt: skip


def _doubt(cell: Measurement) -> str:
    return " (INVALID)" if cell.invalid else ""


def _in_order(shown: Iterable[Model]) -> list[Model]:
    return sorted(set(shown), key=lambda model: model.index)


def _legend(figure: Any, shown: Iterable[Model]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=model.colour, marker=model.marker, label=short(model.name)) for model in _in_order(shown)
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=5, frameon=False, labelcolor="linecolor")
