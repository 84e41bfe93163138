"""Ranks with their uncertainty: which of some measurements are better than which others, beyond chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from evalsuite.compare.better import better
from evalsuite.compare.contrast import Common
from evalsuite.compare.sides import NOT_COMPARED
from evalsuite.files import content_key
from evalsuite.records import Family, Identity, Measurement, Rank, RunRecord
from evalsuite.stats.jackknife import jackknife, pseudovalues
from evalsuite.stats.multiple import holm
from evalsuite.stats.single import shortage

LEVEL = 0.05
_GROUPS = (Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE)
_SAMPLES = (Family.MEAN, Family.MMD)

Floats = NDArray[np.float64]


class Shown(NamedTuple):
    """A measurement among others.

    Attributes:
        run: what it was measured in; equal for those of one run.
        pairing: equal where samples of the same id have the same seed, as by
            :func:`evalsuite.compare.baseline.pairing_key`.
    """

    cell: Measurement
    run: str
    pairing: str


def best_of(record: RunRecord, level: float = LEVEL) -> frozenset[Identity]:
    """The measurements of a run that are better than those of all other models on their target, beyond chance.

    Over whole sample sets; likeness to the teacher is left out, and so is what no other model has.
    """
    groups: dict[tuple[str, str], list[Shown]] = defaultdict(list)
    for cell in record.measurements:
        if cell.slice == "all" and cell.higher_is_better is not None and cell.against in NOT_COMPARED:
            groups[cell.name, cell.target].append(Shown(cell, "", ""))
    return frozenset(
        one.cell.identity
        for shown in groups.values()
        for one, rank in zip(shown, ranked(shown, level), strict=True)
        if rank.high == 1 < len(shown)
    )


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
    if a.run == b.run:
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
