"""Ranks with their uncertainty, over many runs: who is ahead of whom beyond chance, on boards of one protocol each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from evalsuite.compare.baseline import pairing_key
from evalsuite.compare.ranks import LEVEL, Shown, ranked
from evalsuite.compare.sides import NOT_COMPARED
from evalsuite.compare.tradeoffs import PRICES
from evalsuite.errors import UsageError, nearest
from evalsuite.files import canonical_json
from evalsuite.records import Board, Entry, Family, Measurement, Past, Rank, RunRecord


@dataclass(frozen=True)
class Result:
    """A run on its way to a leaderboard.

    Attributes:
        name: what readers know it by.
        record: what it found out.
        link: where its report is, as a relative address; "" where there is none.
    """

    name: str
    record: RunRecord
    link: str = ""

    @property
    def when(self) -> str:
        """When it ended, ISO 8601; "" where it did not note it."""
        return str(self.record.provenance.get("finished") or "")

    @property
    def task(self) -> str:
        """What its models are asked for."""
        return str(self.record.suite.get("task", ""))

    @cached_property
    def pairing(self) -> str:
        """Equal for runs whose samples pair."""
        return pairing_key(self.record)


class Placed(NamedTuple):
    """A measurement, and the run that it is of."""

    result: Result
    cell: Measurement

    @property
    def shown(self) -> Shown:
        return Shown(self.cell, str(id(self.result)), self.result.pairing)


def leaderboards(results: Sequence[Result], metric: str | None = None, level: float = LEVEL) -> list[Board]:
    """One board a task and protocol of the metric, the one with most entries first.

    An entry is a model on a target; its newest run counts, and earlier ones of the same protocol are its history.

    Args:
        results: at least one.
        metric: label of the metric that ranks; None for the first ``fid``, else the first metric of quality.
        level: chance of any wrong rank interval on a board.

    Raises:
        UsageError: no run has that metric, or it has no better end.
    """
    name = metric or _usual(results)
    found: dict[bytes, list[Placed]] = defaultdict(list)
    for result in sorted(results, key=lambda result: (result.when, result.name)):
        for cell in result.record.measurements:
            if cell.name == name and cell.slice == "all" and cell.higher_is_better is not None:
                found[canonical_json({**protocol_of(cell), "task": result.task})].append(Placed(result, cell))
    if not found:
        cells = [cell for result in results for cell in result.record.measurements]
        known = {cell.name for cell in cells if cell.higher_is_better is not None}
        raise UsageError(f"found no run with a metric {name!r} that has a better end; {nearest(str(name), known)}")
    boards = [_board(shown, level) for shown in found.values()]
    return sorted(boards, key=lambda board: -len(board.entries))


def protocol_of(cell: Measurement) -> dict[str, Any]:
    """Everything that must be the same for two numbers to be ranked together."""
    fields = {key: getattr(cell, key) for key in ("metric", "unit", "family", "extractor")}
    # Statistics of nearest neighbours depend on how many there are.
    size = {"n": cell.n} if cell.family is Family.JACKKNIFE else {}
    return {**fields, **size, **cell.protocol}


def _usual(results: Sequence[Result]) -> str | None:
    """The label that most people would rank by."""
    cells = [
        cell
        for result in results
        for cell in result.record.measurements
        if cell.higher_is_better is not None and cell.against in NOT_COMPARED and not cell.profiled
    ]
    return next((cell.name for cell in cells if cell.metric == "fid"), next((cell.name for cell in cells), None))


def _board(shown: Sequence[Placed], level: float) -> Board:
    """The newest measurement of each model and target, ranked."""
    runs: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for one in shown:
        runs[one.cell.model, one.cell.target].append(one)
    newest = [past[-1] for past in runs.values()]
    ranks = ranked([one.shown for one in newest], level)
    by_slice = _slice_ranks(newest, level)
    entries = [
        _entry(past, rank, by_slice.get((past[-1].cell.model, past[-1].cell.target), {}))
        for past, rank in zip(runs.values(), ranks, strict=True)
    ]
    first = newest[0]
    sign = -1.0 if first.cell.higher_is_better else 1.0
    return Board(
        task=first.result.task,
        metric=first.cell.name,
        unit=first.cell.unit,
        higher_is_better=bool(first.cell.higher_is_better),
        protocol={**protocol_of(first.cell), "task": first.result.task},
        level=level,
        entries=sorted(entries, key=lambda e: (e.rank.low, e.rank.high, sign * e.cell.value)),
    )


def _entry(past: Sequence[Placed], rank: Rank, slices: Mapping[str, tuple[Measurement, Rank]]) -> Entry:
    result, cell = past[-1]
    return Entry(
        model=cell.model,
        role=cell.role,
        target=cell.target,
        suite=str(result.record.suite.get("suite", "")),
        run=result.name,
        when=result.when,
        link=result.link,
        cell=_bare(cell),
        rank=rank,
        prices=[_bare(price) for price in _prices(result.record, cell)],
        slices={name: (_bare(one), rank) for name, (one, rank) in slices.items()},
        history=[Past(run=r.name, when=r.when, link=r.link, value=c.value, interval=c.interval) for r, c in past],
    )


def _bare(cell: Measurement) -> Measurement:
    """Without its arrays, which a page does not show."""
    return cell.model_copy(update=dict.fromkeys(cell.arrays()))


def _prices(record: RunRecord, cell: Measurement) -> Iterator[Measurement]:
    """Median latency, peak memory and cost of the same case."""
    own = [m for m in record.measurements if m.case_key == cell.case_key and m.higher_is_better is False]
    for metric in PRICES:
        found = [m for m in own if m.metric == metric]
        medians = [m for m in found if m.name.endswith("_p50")]
        yield from (medians or found)[:1]


def _slice_ranks(newest: Sequence[Placed], level: float) -> dict[tuple[str, str], dict[str, tuple[Measurement, Rank]]]:
    """By model and target, for each slice its measurement and rank among those of the same protocol."""
    groups: dict[tuple[str, bytes], list[Placed]] = defaultdict(list)
    for result, cell in newest:
        for other in result.record.measurements:
            same = (other.name, other.model, other.target) == (cell.name, cell.model, cell.target)
            if same and other.slice != "all":
                groups[other.slice, canonical_json(protocol_of(other))].append(Placed(result, other))
    found: dict[tuple[str, str], dict[str, tuple[Measurement, Rank]]] = defaultdict(dict)
    for (name, _), shown in groups.items():
        for one, rank in zip(shown, ranked([one.shown for one in shown], level), strict=True):
            found[one.cell.model, one.cell.target][name] = (one.cell, rank)
    return found
