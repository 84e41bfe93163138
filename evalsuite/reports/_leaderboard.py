"""The leaderboard as a static site: a page that lists the boards, and a page a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalsuite.records import Board
from evalsuite.reports._board import chart_of, places_of, price_scale, price_unit, rows_of, slice_table, title_of
from evalsuite.reports._format import flattened
from evalsuite.reports._page import Shell

ROWS = 50
"""Rows of a table that are shown at once, where scripts run."""

COMMON_FIELDS = 8
"""Fields named in the sentence that says how boards differ; the page of each board has them all."""


def site(boards: Sequence[Board]) -> dict[str, bytes]:
    """File contents by name: ``index.html`` and ``board-1.html``, ``board-2.html``, ...

    Args:
        boards: at least one; all of the same metric.
    """
    differs = differing(boards)
    names = [f"board-{number}.html" for number in range(1, len(boards) + 1)]
    summaries = [
        {
            "file": name,
            "board": board,
            "rows": rows_of(board, *places_of(board))[:3],
            "apart": [(field, texts[i]) for field, texts in differs.items()][:COMMON_FIELDS],
        }
        for i, (name, board) in enumerate(zip(names, boards, strict=True))
    ]
    index = Shell(()).render(
        "leaderboard.html.j2", boards=summaries, title=title_of(boards[0]), differs=list(differs), scripted=False
    )
    pages = {
        name: _page(board, i, differs, len(boards)) for i, (name, board) in enumerate(zip(names, boards, strict=True))
    }
    return {"index.html": index, **pages}


def differing(boards: Sequence[Board]) -> dict[str, list[str]]:
    """The fields that keep boards apart, with the value of each board: ``none`` where one lacks the field."""
    fields = dict.fromkeys(field for board in boards for field in board.protocol)
    values = {field: [str(board.protocol.get(field, "none")) for board in boards] for field in fields}
    return {field: texts for field, texts in values.items() if len(set(texts)) > 1}


def _page(board: Board, position: int, differs: Mapping[str, list[str]], count: int) -> bytes:
    places, place_of = places_of(board)
    rows = rows_of(board, places, place_of)
    prices = list(dict.fromkeys(name for row in rows for name in row.prices))
    shell = Shell(
        ("controls", "tables", "plot", "chart", "board") if prices else ("controls", "tables", "board"),
        charts=bool(prices),
        models=[row.model for row in rows],
        targets=places,
    )
    return shell.render(
        "board.html.j2",
        board=board,
        title=title_of(board),
        position=position + 1,
        count=count,
        rows=rows,
        row_limit=ROWS,
        places=places,
        price_titles=[(name, price_unit(board, name)) for name in prices],
        price_units={name: price_scale(board, name) for name in prices},
        slices=slice_table(board),
        chart=chart_of(board, rows, places, prices) if prices else {},
        protocol=flattened({field: value for field, value in board.protocol.items() if value not in ("", None)}),
        apart=[(field, texts[position]) for field, texts in differs.items()],
    )
