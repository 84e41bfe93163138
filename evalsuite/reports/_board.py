"""A board of the leaderboard as texts: its rows, prices, slices and chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from evalsuite.files import canonical_json
from evalsuite.records import Board, Entry, Interval, Measurement, Rank
from evalsuite.reports._format import Scale, bounds, decimals, metric_title, number, plain, scale_for
from evalsuite.reports._front import Place, front_places
from evalsuite.reports._models import Model


@dataclass(frozen=True)
class Price:
    """A latency, memory or cost beside an entry; ``low`` and ``high`` bound it in base units, to keep budgets by."""

    text: str
    interval: str
    value: float
    low: float
    high: float
    invalid: str


@dataclass(frozen=True)
class Row:
    """An entry as texts.

    Attributes:
        model: its colour, and the index that scripts know it by.
        place: index of its target.
        rank: ``1`` or ``2–4``.
        front: by metric of price, whether it is on the front of its target, as far as intervals tell.
        prices: by metric label; those it lacks are left out.
        history: (run, when, link, value, interval), the newest first.
        line: points of its history for a small picture; "" for a single run.
    """

    entry: Entry
    model: Model
    place: int
    rank: str
    value: str
    interval: str
    front: Mapping[str, Place]
    prices: Mapping[str, Price]
    history: list[tuple[str, str, str, str, str]]
    line: str


def title_of(board: Board) -> str:
    return metric_title(board.metric, str(board.protocol.get("metric", board.metric)))


def rows_of(board: Board, places: Sequence[str], place_of: Mapping[int, int]) -> list[Row]:
    """The entries in the board's order."""
    scale = _scale(board)
    prices = [_prices(board, entry) for entry in board.entries]
    fronts = _fronts(board, place_of)
    rows = []
    for i, entry in enumerate(board.entries):
        value, interval = _texts(entry.cell.value, entry.cell.interval, scale)
        rows.append(
            Row(
                entry=entry,
                model=Model(entry.model, entry.role, i + 1),
                place=place_of[i],
                rank=rank_text(entry.rank),
                value=value,
                interval=interval,
                front=fronts[i],
                prices=prices[i],
                history=[
                    (past.run, past.when, past.link, *_texts(past.value, past.interval, scale))
                    for past in reversed(entry.history)
                ],
                line=_line([past.value for past in entry.history]),
            )
        )
    return rows


def rank_text(rank: Rank) -> str:
    """``3``, or ``3–5`` where chance could change it."""
    return str(rank.low) if rank.low == rank.high else f"{rank.low}–{rank.high}"


def _scale(board: Board) -> Scale:
    cells = [entry.cell for entry in board.entries]
    return scale_for(board.unit, cells[0].family, (cell.value for cell in cells))


def _texts(value: float, interval: Interval | None, scale: Scale) -> tuple[str, str]:
    digits = decimals(value, interval, scale.divisor)
    return number(value / scale.divisor, digits), bounds(interval, digits, scale.divisor)


def places_of(board: Board) -> tuple[list[str], dict[int, int]]:
    """The targets, told apart by what they were timed on, and which is whose.

    Two machines may both be called ``cpu``; their times must not be on one front, nor under one budget.
    """
    environments: list[tuple[str, bytes]] = []
    for entry in board.entries:
        facts = {
            f"{price.name}.{field}": value
            for price in entry.prices
            for field, value in price.protocol.items()
            if field.startswith("environment.") or field == "batch_size"
        }
        environments.append((entry.target, canonical_json(facts)))
    distinct = list(dict.fromkeys(environments))
    shared = Counter(target for target, _ in distinct)
    seen: Counter[str] = Counter()
    names = []
    for target, _ in distinct:
        seen[target] += 1
        names.append(target if shared[target] == 1 else f"{target} (machine {seen[target]})")
    return names, {i: distinct.index(environment) for i, environment in enumerate(environments)}


def _price_cells(board: Board, name: str) -> list[Measurement]:
    return [price for entry in board.entries for price in entry.prices if price.name == name]


def price_scale(board: Board, name: str) -> Scale:
    cells = _price_cells(board, name)
    return scale_for(cells[0].unit, cells[0].family, (cell.value for cell in cells))


def price_unit(board: Board, name: str) -> tuple[str, str]:
    return metric_title(name, _price_cells(board, name)[0].metric), price_scale(board, name).unit


def _prices(board: Board, entry: Entry) -> dict[str, Price]:
    found = {}
    for cell in entry.prices:
        text, interval = _texts(cell.value, cell.interval, price_scale(board, cell.name))
        low, high = (cell.interval.low, cell.interval.high) if cell.interval else (cell.value, cell.value)
        found[cell.name] = Price(text, interval, cell.value, low, high, plain(cell.invalid))
    return found


def _fronts(board: Board, place_of: Mapping[int, int]) -> list[dict[str, Place]]:
    """Of each entry, by metric of price, its place among the entries of its target that have that price."""
    offers: dict[tuple[str, int], list[tuple[int, Measurement]]] = {}
    for i, entry in enumerate(board.entries):
        for price in entry.prices:
            offers.setdefault((price.name, place_of[i]), []).append((i, price))
    found: list[dict[str, Place]] = [{} for _ in board.entries]
    for (name, _), offered in offers.items():
        standing = front_places([(board.entries[i].cell, price) for i, price in offered])
        for (i, _), place in zip(offered, standing, strict=True):
            found[i][name] = place
    return found


def _line(values: Sequence[float]) -> str:
    """Points of a polyline in a box of 96 by 24, the newest at the right."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    width, height = 90 / (len(values) - 1), (high - low) or 1.0
    return " ".join(f"{3 + i * width:.1f},{21 - 18 * (v - low) / height:.1f}" for i, v in enumerate(values))


# --- slices and chart ----------------------------------------------------------------------------------------------


def slice_table(board: Board) -> dict[str, Any]:
    """``slices`` and, by entry, a tile a slice: value, interval, rank, or None where it was not measured."""
    names = list(dict.fromkeys(name for entry in board.entries for name in entry.slices))
    scale = _scale(board)

    def tile(entry: Entry, name: str) -> tuple[str, str, str] | None:
        if name not in entry.slices:
            return None
        cell, rank = entry.slices[name]
        return (*_texts(cell.value, cell.interval, scale), rank_text(rank))

    return {"names": names, "tiles": [[tile(entry, name) for name in names] for entry in board.entries]}


def chart_of(board: Board, rows: Sequence[Row], places: Sequence[str], prices: Iterable[str]) -> dict[str, Any]:
    """As the report's chart reads it; each entry is a model of its own."""
    names, scale = list(prices), _scale(board)
    scales = {name: price_scale(board, name) for name in names}
    axes = [
        {
            "name": board.metric, "title": title_of(board), "unit": scale.unit, "higher": board.higher_is_better,
            "group": "Quality", "log": False,
        },
        *(
            {
                "name": name, "title": price_unit(board, name)[0], "unit": scales[name].unit, "higher": False,
                "group": "Speed and memory", "log": True,
            }
            for name in names
        ),
    ]  # fmt: skip
    spots = {}
    for i, row in enumerate(rows):
        cells = {board.metric: (row.entry.cell, scale)} | {p.name: (p, scales[p.name]) for p in row.entry.prices}
        spots[str(i)] = {
            "model": row.entry.model, "index": row.model.index, "target": places[row.place], "slice": "all",
            "values": {name: _spot(*pair) for name, pair in cells.items()},
        }  # fmt: skip
    return {
        "axes": axes, "spots": spots, "targets": list(places), "quality": board.metric, "prices": names,
        "fronts": [_front(board, rows, places, *which) for which in product(names, range(len(places)))], "curves": [],
    }  # fmt: skip


def _front(board: Board, rows: Sequence[Row], places: Sequence[str], price: str, place: int) -> dict[str, Any]:
    """As the chart reads it: places by spot, on one target."""
    standing = {str(i): row.front[price] for i, row in enumerate(rows) if row.place == place and price in row.front}
    return {"target": places[place], "quality": board.metric, "price": price, "places": standing}


def _spot(cell: Measurement, scale: Scale) -> list[float | int | None]:
    ends = [cell.interval.low, cell.interval.high] if cell.interval else [None, None]
    shown = [None if end is None else end / scale.divisor for end in (cell.value, *ends)]
    return [*shown, int(bool(cell.invalid))]
