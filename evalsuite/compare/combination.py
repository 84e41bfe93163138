"""A linear combination of measurements of one run, such as a difference of differences: estimate, error, p-values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.compare.contrast import DEBIASED_NOTE, PLAIN_NOTE, Contrast, Incomparable, TooFew, invalidity, unlike
from evalsuite.records import Family, Measurement, Term
from evalsuite.stats.evidence import StudentT
from evalsuite.stats.jackknife import jackknife
from evalsuite.stats.single import shortage

Floats = NDArray[np.float64]

BY_SAMPLE = (Family.MEAN, Family.PROPORTION, Family.MMD)
BY_GROUP = (Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE)

SLICES_OWN = ("against_fingerprint", "shared_noise", "clusters")
"""Fields of a protocol in which a slice and its base may differ: the teacher that it is compared with was changed too,
or samples share their noise."""


class Weighted(NamedTuple):
    """A measurement and its coefficient."""

    coefficient: float
    cell: Measurement

    @property
    def term(self) -> Term:
        return Term(coefficient=self.coefficient, identity=self.cell.identity)


def combination(parts: Sequence[Weighted]) -> Contrast:
    """``sum of coefficient * value`` with what is known of it, whichever samples the measurements share.

    Means, shares and MMD: from each sample's part in the sum. Values with groups left out: from the sum with each group
    left out.

    Raises:
        Incomparable: the measurements are not on one scale.
        TooFew: one of them has too little for an interval.
    """
    first = parts[0].cell
    for part in parts:
        if reason := _unlike(first, part.cell):
            raise Incomparable(reason)
        if lacking := shortage(part.cell):
            raise TooFew(f"{part.cell.case_key}: {lacking}")
    if first.family in BY_SAMPLE:
        evidence, paired = _by_sample(parts)
        note = ""
    elif first.family in BY_GROUP:
        evidence, paired = _by_group(parts), True
        note = {Family.FRECHET: DEBIASED_NOTE, Family.JACKKNIFE: PLAIN_NOTE}.get(first.family, "")
    else:
        raise Incomparable(f"{first.name} has no difference of differences")
    invalid = "; ".join(dict.fromkeys(filter(None, (invalidity(part.cell) for part in parts))))
    return Contrast(evidence, "difference", paired, first.n, note, invalid)


def _unlike(one: Measurement, other: Measurement) -> str:
    """Which field of the protocols differs, but for those in which slices may differ from their base."""
    ignored = list(SLICES_OWN)
    if one.family in BY_SAMPLE and "reference_fingerprint" not in one.protocol:
        ignored.append("n")  # a mean of fewer samples estimates the same, unless another part of the reference is in it
    return unlike(_without(one, ignored), _without(other, ignored))


def _without(cell: Measurement, fields: Sequence[str]) -> Measurement:
    """The cell without these fields of its protocol; a share is a mean, as it is called where samples share noise."""
    family = Family.MEAN if cell.family == Family.PROPORTION else cell.family
    protocol = {name: value for name, value in cell.protocol.items() if name not in fields}
    return cell.model_copy(update={"family": family, "protocol": protocol})


# --- from samples --------------------------------------------------------------------------------------------------


def _by_sample(parts: Sequence[Weighted]) -> tuple[StudentT, bool]:
    """Student's t on each sample's part in the sum.

    Samples are divided into strata by which of the measurements they are in. Strata are independent, and within one
    samples are: with one stratum it is the paired t test, with two disjoint ones Welch's, and a slice that is part of
    its base comes out right as well.
    """
    value = sum(coefficient * cell.value for coefficient, cell in parts)
    influence, membership = _influence(parts)
    _, strata = np.unique(membership, axis=1, return_inverse=True)
    strata = strata.reshape(-1)
    members = [influence[strata == stratum] for stratum in range(strata.max() + 1)]
    if any(len(one) < 2 for one in members):
        raise TooFew("a part of the samples that the slices share has a single sample")
    paired = bool(membership.all())
    if paired and all(cell.family == Family.PROPORTION for _, cell in parts):
        return _paired_shares(value, influence), True
    variances = np.array([len(one) * np.var(one, ddof=1) for one in members])
    total = float(variances.sum())
    freedoms = np.array([len(one) - 1 for one in members])
    freedom = total**2 / float((variances**2 / freedoms).sum()) if total else float(freedoms.min())
    method = "t, paired by sample" if paired else "t over strata of samples"
    return StudentT(value, total**0.5, freedom, method), paired


def _influence(parts: Sequence[Weighted]) -> tuple[Floats, NDArray[np.bool_]]:
    """What each sample adds to the sum, less its mean, float64 ``[N]``, and which measurements it is in, bool
    ``[measurements, N]``."""
    ids = _common_ids([cell for _, cell in parts])
    every = np.unique(np.concatenate(ids))
    influence = np.zeros(len(every))
    membership = np.zeros((len(parts), len(every)), dtype=bool)
    for row, (one, (coefficient, cell)) in enumerate(zip(ids, parts, strict=True)):
        values = cell.per_sample
        assert values is not None  # `shortage` has seen to it
        where = np.searchsorted(every, one)
        influence[where] += coefficient * (values - values.mean()) / len(values)
        membership[row, where] = True
    return influence, membership


def _common_ids(cells: Sequence[Measurement]) -> list[NDArray[np.int64]]:
    """Ids of each measurement's values that are equal where they come from one sample.

    Samples without ids are nobody else's. So are groups of samples that share their noise, since their numbers are no
    samples'; what they have in common with the unchanged samples then widens the interval.
    """
    spaces: list[object] = []
    found = []
    for position, cell in enumerate(cells):
        space = tuple(cell.protocol.get(field) for field in ("shared_noise", "clusters"))
        spaces.append(position if cell.sample_ids is None else space)
        first = spaces.index(spaces[-1])
        count = 0 if cell.per_sample is None else len(cell.per_sample)
        ids = np.arange(count) if cell.sample_ids is None else cell.sample_ids
        found.append(ids.astype(np.int64) + first * 2**40)
    return found


def _paired_shares(value: float, influence: Floats) -> StudentT:
    """Of 0/1 values: one sample more is taken to have spoken for, and one against, so that the error does not vanish
    where all agree (Bonett and Price 2012, for two shares)."""
    n = len(influence)
    differences = np.append(influence * n + value, [1.0, -1.0])
    error = float(np.std(differences, ddof=1) / np.sqrt(n + 2))
    return StudentT(value, error, n + 1, "Bonett-Price, paired by sample", float(differences.mean()))


# --- from groups ---------------------------------------------------------------------------------------------------


def _by_group(parts: Sequence[Weighted]) -> StudentT:
    """The jackknife of the sum, where all leave out the same groups."""
    first = parts[0].cell
    sizes = first.group_sizes
    assert sizes is not None
    for _, cell in parts:
        same_groups = np.array_equal(cell.group_sizes, sizes) if cell.group_sizes is not None else False
        same_noise = cell.protocol.get("shared_noise") == first.protocol.get("shared_noise")
        same_samples = cell.sample_ids is not None and np.array_equal(cell.sample_ids, first.sample_ids)  # type: ignore[arg-type]
        if not (same_groups and same_noise and same_samples):
            raise Incomparable("their groups of samples do not belong together")
    value = sum(coefficient * cell.value for coefficient, cell in parts)
    left_out = sum(coefficient * np.asarray(cell.replicates) for coefficient, cell in parts)
    spread = jackknife(value, np.asarray(left_out, np.float64), sizes)
    centre = spread.value if first.family == Family.FRECHET else value
    return StudentT(centre, spread.standard_error, spread.degrees_of_freedom, "delete-group jackknife, paired")
