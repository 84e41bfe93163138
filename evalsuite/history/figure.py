"""A picture of series over commits: a panel for each metric, a line with its band of intervals for each series."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from typing import Any

import numpy as np

from evalsuite.errors import UsageError
from evalsuite.history.store import Series

MOST_PANELS = 12
MOST_LINES = 12
"""In one panel; more cannot be told apart."""

WIDTH_IN, PANEL_IN = 9.0, 2.6
SHORT = 8
"""Digits of a commit's name that are shown."""

PREFIXED = {"s": "s", "bytes": "B", "J": "J"}
"""Units that are written with the prefix that fits: ms, MB."""

MOST_NAMES = 16
"""Commits that are named below the axis."""


def draw(every: Sequence[Series]) -> bytes:
    """A PNG file. A series that another protocol began is a line of its own, numbered as in the table.

    Raises:
        UsageError: there are too many series to be told apart.
    """
    panels = [
        (title, list(lines))
        for title, lines in groupby(every, key=lambda one: (one.key.name, one.key.against, one.unit))
    ]
    crowded = max((len(lines) for _, lines in panels), default=0)
    if len(panels) > MOST_PANELS or crowded > MOST_LINES:
        raise UsageError(
            f"found {len(panels)} metrics with up to {crowded} series, expected at most {MOST_PANELS} with "
            f"{MOST_LINES} to draw; choose with --metric, --model, --target and --slice"
        )
    times = {point.commit: point.at for series in every for point in series.points}
    commits = sorted(times, key=lambda commit: times[commit])
    return _png(panels, commits)


def _png(panels: Sequence[tuple[Any, list[Series]]], commits: Sequence[str]) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: Any = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "text.parse_math": False}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(WIDTH_IN, PANEL_IN * len(panels) + 0.6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        places = {commit: place for place, commit in enumerate(commits)}
        for axis, (title, lines) in zip(axes, panels, strict=True):
            _panel(axis, title, lines, places)
        shown = np.unique(np.linspace(0, len(commits) - 1, min(MOST_NAMES, len(commits))).round().astype(int))
        axes[-1].set_xticks(shown, [commits[place][:SHORT] for place in shown], rotation=45, ha="right")
        axes[-1].set_xlim(-0.5, len(commits) - 0.5)
        png = BytesIO()
        figure.savefig(png, format="png", dpi=140, metadata={"Software": None})
    return png.getvalue()


def _panel(axis: Any, title: tuple[str, str, str], lines: Sequence[Series], places: dict[str, int]) -> None:
    from matplotlib.ticker import EngFormatter

    name, against, unit = title
    colours = {key: f"C{place % 10}" for place, key in enumerate(dict.fromkeys(one.key.case_key for one in lines))}
    axis.set_title(f"{name} against {against}" if "@" in against else name, loc="left", fontsize=10)
    if unit in PREFIXED:
        axis.yaxis.set_major_formatter(EngFormatter(unit=PREFIXED[unit]))
    else:
        axis.set_ylabel(unit)
    axis.grid(alpha=0.25, linewidth=0.6)
    for series, number in zip(lines, protocol_numbers(lines), strict=True):
        x = np.array([places[point.commit] for point in series.points])
        values = [point.value for point in series.points]
        label = series.key.case_key + (f" (protocol {number})" if number else "")
        colour, dashes = colours[series.key.case_key], "--" if number > 1 else "-"
        axis.plot(x, values, dashes, marker="o", markersize=3, linewidth=1.2, color=colour, label=label)
        ends = [
            (point.interval.low, point.interval.high) if point.interval else (np.nan,) * 2 for point in series.points
        ]
        low, high = np.array(ends).T
        if len(x) > 1:
            axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        else:
            axis.vlines(x, low, high, color=colour, alpha=0.4)
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8)


def protocol_numbers(every: Sequence[Series]) -> list[int]:
    """Of each series, which of the protocols of its case it has, from 1 in the order of time; 0 where there is one."""
    protocols: dict[tuple[str, ...], list[str]] = {}
    for series in every:
        protocols.setdefault(series.key[:-1], []).append(series.key.protocol)
    return [
        protocols[series.key[:-1]].index(series.key.protocol) + 1 if len(protocols[series.key[:-1]]) > 1 else 0
        for series in every
    ]
