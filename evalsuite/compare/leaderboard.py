"""Ranks with their uncertainty, over many runs: who is ahead of whom beyond chance, on boards of one protocol each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from evalsuite.compare.baseline import pairing_key
from evalsuite.compare.better import better
from evalsuite.compare.contrast import Common
from evalsuite.compare.sides import NOT_COMPARED
from evalsuite.errors import UsageError, nearest
from evalsuite.files import canonical_json, content_key
from evalsuite.records import Board, Entry, Family, Measurement, Past, Rank, RunRecord
from evalsuite.stats.jackknife import jackknife, pseudovalues
from evalsuite.stats.multiple import holm
from evalsuite.stats.single import shortage

LEVEL = 0.05
PRICES = ("latency", "peak_memory", "cost")
_GROUPS = (Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE)
_SAMPLES = (Family.MEAN, Family.MMD)

Floats = NDArray[np.float64]


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


class Shown(NamedTuple):
    """A measurement on a board: whose, of which run, and what its samples pair with."""

    result: Result
    cell: Measurement
    pairing: str


# --- boards --------------------------------------------------------------------------------------------------------


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
    found: dict[bytes, list[Shown]] = defaultdict(list)
    for result in sorted(results, key=lambda result: (result.when, result.name)):
        task, pairing = str(result.record.suite.get("task", "")), _pairing(result.record)
        for cell in result.record.measurements:
            if cell.name == name and cell.slice == "all" and cell.higher_is_better is not None:
                protocol = {**protocol_of(cell), "task": task}
                found[canonical_json(protocol)].append(Shown(result, cell, pairing))
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


def _pairing(record: RunRecord) -> str:
    """Equal where samples of the same id have the same seed; a record that does not say pairs with itself alone."""
    suite = record.suite
    if "sampling" in suite and "reference" in suite:
        return pairing_key(record)
    return content_key([record.suite_hash, record.content_hash])


def _board(shown: Sequence[Shown], level: float) -> Board:
    """The newest measurement of each model and target, ranked."""
    runs: dict[tuple[str, str], list[Shown]] = defaultdict(list)
    for one in shown:
        runs[one.cell.model, one.cell.target].append(one)
    newest = [past[-1] for past in runs.values()]
    ranks = ranked(newest, level)
    by_slice = _slice_ranks(newest, level)
    entries = [
        _entry(past, rank, by_slice.get((past[-1].cell.model, past[-1].cell.target), {}))
        for past, rank in zip(runs.values(), ranks, strict=True)
    ]
    first = newest[0]
    sign = -1.0 if first.cell.higher_is_better else 1.0
    return Board(
        task=str(first.result.record.suite.get("task", "")),
        metric=first.cell.name,
        unit=first.cell.unit,
        higher_is_better=bool(first.cell.higher_is_better),
        protocol={**protocol_of(first.cell), "task": str(first.result.record.suite.get("task", ""))},
        level=level,
        entries=sorted(entries, key=lambda e: (e.rank.low, e.rank.high, sign * e.cell.value)),
    )


def _entry(past: Sequence[Shown], rank: Rank, slices: Mapping[str, tuple[Measurement, Rank]]) -> Entry:
    result, cell, _ = past[-1]
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
        history=[Past(run=r.name, when=r.when, link=r.link, value=c.value, interval=c.interval) for r, c, _ in past],
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


def _slice_ranks(newest: Sequence[Shown], level: float) -> dict[tuple[str, str], dict[str, tuple[Measurement, Rank]]]:
    """By model and target, for each slice its measurement and rank among those of the same protocol."""
    groups: dict[tuple[str, bytes], list[Shown]] = defaultdict(list)
    for result, cell, pairing in newest:
        for other in result.record.measurements:
            same = (other.name, other.model, other.target) == (cell.name, cell.model, cell.target)
            if same and other.slice != "all":
                groups[other.slice, canonical_json(protocol_of(other))].append(Shown(result, other, pairing))
    found: dict[tuple[str, str], dict[str, tuple[Measurement, Rank]]] = defaultdict(dict)
    for (name, _), shown in groups.items():
        for one, rank in zip(shown, ranked(shown, level), strict=True):
            found[one.cell.model, one.cell.target][name] = (one.cell, rank)
    return found


# --- ranks ---------------------------------------------------------------------------------------------------------


def ranked(shown: Sequence[Shown], level: float = LEVEL) -> list[Rank]:
    """Simultaneous confidence intervals of ranks, from all pairwise comparisons (Mogstad et al. 2024, section 3).

    All ordered pairs are tested for "the first is better", corrected by Holm; a measurement has as many ranks above it
    as others are shown better, and as many below it as it is shown better than. What decides nothing (INVALID, too few)
    may have any rank that the others leave.

    Args:
        shown: of one metric and protocol.
        level: chance that any of the intervals misses its true rank.
    """
    count = len(shown)
    p_values = ahead(shown)
    off = ~np.eye(count, dtype=bool)
    adjusted = np.ones((count, count))
    adjusted[off] = holm(p_values[off].tolist())
    beats = adjusted <= level
    np.fill_diagonal(beats, val=False)
    return [
        Rank(low=1 + int(above), high=count - int(below))
        for above, below in zip(beats.sum(axis=0), beats.sum(axis=1), strict=True)
    ]


def ahead(shown: Sequence[Shown]) -> Floats:
    """One-sided p-values of "row i is no better than column j", float64 ``[k, k]``; 1 where nothing is decided.

    Samples of equal ids, seeds and groups are paired. Families whose errors follow Student's t are compared all at
    once: the error of a difference is the length of the difference of two error vectors, as :func:`better` finds it.
    """
    count = len(shown)
    p_values = np.ones((count, count))
    usable = [i for i, one in enumerate(shown) if not one.cell.invalid and not shortage(one.cell)]
    if not usable:
        return p_values
    if shown[usable[0]].cell.family in (*_GROUPS, *_SAMPLES):
        p_values[np.ix_(usable, usable)] = _by_errors([shown[i] for i in usable])
        return p_values
    for position, i in enumerate(usable):
        for j in usable[position + 1 :]:
            found = better(shown[i].cell, shown[j].cell, _common(shown[i], shown[j]))
            p_values[i, j], p_values[j, i] = found.first, found.second
    return p_values


def _common(a: Shown, b: Shown) -> Common:
    if a.result is b.result:
        return Common.RUN
    return Common.SEEDS if a.pairing == b.pairing else Common.NOTHING


class _Errors(NamedTuple):
    """A value as the t families see it; ``vector`` has the standard error as its length."""

    centre: float
    vector: Floats
    freedom: int
    pairs_with: str


def _errors(shown: Shown) -> _Errors:
    cell = shown.cell
    if cell.family in _SAMPLES:
        assert cell.per_sample is not None
        count = len(cell.per_sample)
        values = cell.per_sample.astype(np.float32).astype(np.float64)  # the same samples twice differ in last digits
        vector = (values - values.mean()) / np.sqrt(count * (count - 1))
        return _Errors(cell.value, vector, count - 1, _pairs_with(shown))
    assert cell.replicates is not None
    assert cell.group_sizes is not None
    spread = jackknife(cell.value, cell.replicates, cell.group_sizes)
    h = cell.group_sizes.sum() / cell.group_sizes
    residuals = pseudovalues(cell.value, cell.replicates, cell.group_sizes) - spread.value
    vector = residuals / np.sqrt((h - 1) * len(h))
    centre = spread.value if cell.family is Family.FRECHET else cell.value
    return _Errors(centre, vector, spread.degrees_of_freedom, _pairs_with(shown))


def _pairs_with(shown: Shown) -> str:
    """Equal where two vectors belong together, element by element."""
    cell = shown.cell
    if cell.sample_ids is None:
        return f"nothing: {id(cell)}"
    sizes = None if cell.group_sizes is None else cell.group_sizes.tolist()
    return content_key([shown.pairing, cell.sample_ids.tolist(), sizes])


def _by_errors(shown: Sequence[Shown]) -> Floats:
    """The p-values of :func:`ahead` for a t family: paired, or Welch's where two do not belong together."""
    found = [_errors(one) for one in shown]
    sign = 1.0 if shown[0].cell.higher_is_better else -1.0
    centres = sign * np.array([one.centre for one in found])
    squares = np.array([float(one.vector @ one.vector) for one in found])
    freedoms = np.array([one.freedom for one in found], float)
    groups: dict[str, list[int]] = defaultdict(list)
    for i, one in enumerate(found):
        groups[one.pairs_with].append(i)
    variances = squares[:, None] + squares[None, :]
    parts = squares**2 / freedoms
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = variances**2 / (parts[:, None] + parts[None, :])
    degrees = np.where(variances > 0, degrees, np.minimum(freedoms[:, None], freedoms[None, :]))
    for members in groups.values():
        vectors = np.stack([found[i].vector for i in members])
        for i, vector in zip(members, vectors, strict=True):
            variances[i, members] = ((vectors - vector) ** 2).sum(axis=1)
            degrees[i, members] = freedoms[i]
    gaps = centres[:, None] - centres[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = stdtr(degrees, -gaps / np.sqrt(variances))
    certain = np.where(gaps > 1e-6 * np.abs(centres), 0.0, 1.0)
    return np.asarray(np.where(variances > 0, p_values, certain))
