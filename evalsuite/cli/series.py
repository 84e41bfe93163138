"""Series over commits as tables, CSV and JSON, and what changed in them as sentences."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from evalsuite.compare.wording import between, chance, quantity
from evalsuite.history.drift import MIN_POINTS, Change, Drift
from evalsuite.history.figure import protocol_numbers
from evalsuite.history.points import Point
from evalsuite.history.store import Series
from evalsuite.records import Family
from evalsuite.reports._format import bounds, decimals, number, scale_for
from evalsuite.reports.csv import guarded

SHORT = 8
"""Digits of a commit's name that are shown to people."""

COLUMNS = (
    "suite", "metric", "model", "target", "slice", "against", "protocol", "commit", "time", "value", "unit", "low",
    "high", "level", "n",
)  # fmt: skip


def tables(every: Sequence[Series]) -> Iterator[Table]:
    """A table for each metric: commits down, series across."""
    for (name, against, unit), group in groupby(every, key=lambda one: (one.key.name, one.key.against, one.unit)):
        lines = list(group)
        scale = scale_for(unit, Family.MEAN, [point.value for series in lines for point in series.points])
        title = f"{name} against {against}" if "@" in against else name
        title += f" ({scale.unit})" if scale.unit else ""
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("commit")
        table.add_column("date")
        for series, protocol in zip(lines, protocol_numbers(lines), strict=True):
            table.add_column(Text(series.key.case_key + (f"\nprotocol {protocol}" if protocol else "")))
        cells = [{point.commit: point for point in series.points} for series in lines]
        times = {point.commit: point.at for series in lines for point in series.points}
        for commit in sorted(times, key=lambda commit: times[commit], reverse=True):
            values = (_value(of_series.get(commit), scale.divisor) for of_series in cells)
            table.add_row(*map(Text, (commit[:SHORT], f"{times[commit]:%Y-%m-%d}", *values)))
        yield table


def _value(point: Point | None, divisor: float) -> str:
    if point is None:
        return ""
    digits = decimals(point.value, point.interval, divisor)
    return f"{number(point.value / divisor, digits)} {bounds(point.interval, digits, divisor)}".rstrip()


def splits(every: Sequence[Series]) -> Iterator[str]:
    """Where a change of protocol ended one series and began another: what differs, one sentence a metric."""
    cases: dict[tuple[str, str], list[str]] = {}
    for _, group in groupby(every, key=lambda one: one.key[:-1]):
        for earlier, later in pairwise(group):
            before, after = (json.loads(series.key.protocol) for series in (earlier, later))
            field = next(name for name in before | after if before.get(name) != after.get(name))
            found, other = after.get(field, "none"), before.get(field, "none")
            change = f"from commit {later.points[0].commit[:SHORT]} on {field} is {found}, before {other}"
            cases.setdefault((later.key.name, change), []).append(later.key.case_key)
    for (name, change), where in cases.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield f"{name} of {where[0]}{more}: two protocols, and so two series: {change}"


def rows(series: Series) -> Iterator[dict[str, Any]]:
    """One row a point, numbers in base units."""
    for point in series.points:
        interval = point.interval
        yield {
            "commit": point.commit,
            "time": point.at.isoformat(),
            "value": point.value,
            "low": interval and interval.low,
            "high": interval and interval.high,
            "level": interval and interval.level,
            "n": point.n,
        }


def identity(series: Series) -> dict[str, Any]:
    """What the points of a series share."""
    key = series.key
    return {
        "suite": key.suite,
        "metric": key.name,
        "model": key.model,
        "target": key.target,
        "slice": key.slice,
        "against": key.against,
        "protocol": key.protocol_hash,
        "unit": series.unit,
    }


def document(series: Series) -> dict[str, Any]:
    """A series as JSON values, its protocol in full."""
    own = identity(series) | {"higher_is_better": series.higher_is_better}
    return own | {"protocol_fields": json.loads(series.key.protocol), "points": list(rows(series))}


def as_csv(every: Sequence[Series]) -> str:
    """One line a point, after RFC 4180; no cell starts a formula."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for series in every:
        for row in rows(series):
            writer.writerow({column: guarded(value) for column, value in (identity(series) | row).items()})
    return text.getvalue()


def changes(found: Drift, alpha: float) -> Iterator[Text]:
    """Two lines a change: what, and between which commits; then what was looked at."""
    for change in found.changes:
        word, style = _verdict(change)
        key = change.series.key
        against = f" against {key.against}" if "@" in key.against else ""
        line = Text.assemble((f"{word:<8}", style), f" {key.name} of {key.case_key}{against}: {_change(change)}")
        line.append(f"\n{'':<8} {_when(change)}; {chance(change.p_value)}", style="dim")
        yield line
    nothing = "" if found.changes else "no drift: "
    short = f"; {found.too_short} more with fewer than {MIN_POINTS} commits" if found.too_short else ""
    yield Text(f"{nothing}{found.looked_at} series looked at, any false alarm with a chance of {alpha:.2g}{short}")


def change_document(change: Change) -> dict[str, Any]:
    """A change as JSON values."""
    return {
        **identity(change.series),
        "kind": change.kind,
        "verdict": _verdict(change)[0],
        "last_good": change.last_good,
        "first_bad": change.first_bad,
        "likely": change.likely,
        "before": change.before,
        "after": change.after,
        "change": change.change,
        "relative": change.relative,
        "interval": change.interval.model_dump(),
        "p_value": change.p_value,
    }


def _verdict(change: Change) -> tuple[str, str]:
    return {True: ("better", "green"), False: ("worse", "bold red"), None: ("changed", "yellow")}[change.better]


def _change(change: Change) -> str:
    """``10.1 -> 11.6, +15 % (95 % interval of the difference 1.2 to 1.8)``."""
    unit = change.series.unit
    share = "" if change.relative is None else f", {100 * change.relative:+.2g} %"
    levels = f"{quantity(change.before, unit)} -> {quantity(change.after, unit)}"
    return f"{levels}{share} (difference: {between(change.interval, unit)})"


def _when(change: Change) -> str:
    good, bad, likely = (commit[:SHORT] for commit in (change.last_good, change.first_bad, change.likely))
    if change.kind == "trend":
        return f"little by little from {good} to {bad}"
    commits = [point.commit for point in change.series.points]
    apart = commits.index(change.first_bad) - commits.index(change.last_good)
    if apart == 1:
        return f"at {bad}, after {good}"
    return f"between {good} (last good) and {bad} (first bad), {apart} commits; most likely at {likely}"
