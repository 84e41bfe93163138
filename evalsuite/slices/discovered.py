"""Slices that nobody declared: kinds of the teacher's samples where a student is shown to differ from it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evalsuite.errors import Skipped
from evalsuite.settings import Settings
from evalsuite.slices.contract import Derivation, DerivedSlice, Gap, Material
from evalsuite.stats.multiple import holm
from evalsuite.stats.witness import Floats, Places, p_values, squared_distances

LEVEL = 0.01
LEAST_MEMBERS = 5
"""Of a cluster, among the samples that it was found in; with fewer it has no radius to speak of."""
STARTS, ITERATIONS = 5, 50
NAMED = 5
"""Samples of a slice that are named for readers to look at."""


class Discovered(Settings):
    """Clusters of the teacher's features on which a student differs from its teacher.

    Half of the samples, drawn by lot, gives the clusters (k-means of the teacher's features; the student's would put
    its flaws into clusters of their own). Around each cluster, each half teaches a witness of how student and teacher
    differ, and the other half is tested with it at 1 %: a cluster holds if both tests find a gap, the second after
    Holm's correction over all clusters and students. Where student and teacher are alike, nothing holds in 99 of 100
    runs. See :mod:`evalsuite.stats.witness`.

    The slices were chosen because models differ there, so they tell where to look and what it looks like, and decide
    no gates.

    Attributes:
        extractor: whose features are clustered.
        clusters: how many; each needs about 20 samples.
        seed: of the halves and of k-means.
    """

    kind: ClassVar[Literal["derived"]] = "derived"

    extractor: str = "fashion-cnn"
    clusters: Annotated[int, Field(ge=2, le=500)] = 12
    seed: Annotated[int, Field(ge=0)] = 0

    def derive(self, material: Material) -> Derivation:
        """One slice ``discovered=3`` for each cluster that holds for a student, and what was found.

        Raises:
            Skipped: there are too few samples for clusters.
        """
        random = np.random.default_rng(self.seed)
        first = _half(material.units, random)
        teacher = material.teacher.astype(np.float64)
        least = self.clusters * LEAST_MEMBERS
        if min(first.sum(), (~first).sum()) < least:
            raise Skipped(f"{self.clusters} clusters need {2 * least} samples, found {len(teacher)}; ask for fewer")
        places = _places(teacher[first], self.clusters, random)
        nearest = squared_distances(teacher, places.centres).argmin(axis=1)
        tests = {key: _tested(places, *pair, first, material.units) for key, pair in material.pairs.items()}
        found = list(_holding(tests))
        slices = tuple(self._slice(place, nearest, places, material) for place in sorted({one.place for one in found}))
        return Derivation(slices, tuple(_gap(one, nearest, material) for one in found), len(places.radii))

    def _slice(self, place: int, nearest: NDArray[np.int64], places: Places, material: Material) -> DerivedSlice:
        reference = None
        if material.reference is not None:
            real = squared_distances(material.reference.astype(np.float64), places.centres)
            reference = np.flatnonzero(real.argmin(axis=1) == place)
        return DerivedSlice(slice_id(place), np.flatnonzero(nearest == place), reference)


def slice_id(place: int) -> str:
    """``discovered=3``."""
    return f"discovered={place}"


@dataclass(frozen=True)
class _Tests:
    """Of one student at every place, float64 ``[K]`` each.

    Attributes:
        first, second: p-values of the two halves.
        density: of the student's samples, the teacher's being 1.
    """

    first: Floats
    second: Floats
    density: Floats


@dataclass(frozen=True)
class _Holding:
    """A student and a place where it differs from its teacher."""

    case_key: str
    place: int
    p_first: float
    p_second: float
    density: float


def _half(units: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.bool_]:
    """Which samples belong to the first half, bool ``[N]``; those of one unit stay together."""
    names, unit = np.unique(units, return_inverse=True)
    chosen = np.zeros(len(names), np.bool_)
    chosen[random.permutation(len(names))[: len(names) // 2]] = True
    return chosen[unit]


def _places(points: Floats, count: int, random: np.random.Generator) -> Places:
    """Clusters by k-means (the best of some starts), and the root mean square distance of their members."""
    from scipy.cluster.vq import kmeans2

    if len(np.unique(points, axis=0)) <= count:
        raise Skipped(f"the teacher's samples do not fall into {count} clusters; ask for fewer")
    best: tuple[float, Floats] | None = None
    for _ in range(STARTS):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "One of the clusters is empty")  # it is left out below
            # The old name of the argument is the one that all supported versions of scipy take.
            centres, _ = kmeans2(points, count, iter=ITERATIONS, minit="++", seed=random)
        spread = float(squared_distances(points, centres).min(axis=1).sum())
        if best is None or spread < best[0]:
            best = spread, centres
    assert best is not None, "there is a start"
    squares = squared_distances(points, best[1])
    sizes = np.bincount(squares.argmin(axis=1), minlength=count)
    totals = np.bincount(squares.argmin(axis=1), squares.min(axis=1), minlength=count)
    kept = (sizes >= LEAST_MEMBERS) & (totals > 0)
    return Places(best[1][kept], (totals[kept] / sizes[kept]) ** 0.5)


def _tested(
    places: Places,
    student: NDArray[np.float32],
    teacher: NDArray[np.float32],
    first: NDArray[np.bool_],
    units: NDArray[np.int64],
) -> _Tests:
    """Both halves, each with the witness that the other taught."""
    mine, theirs = student.astype(np.float64), teacher.astype(np.float64)
    found = []
    for tested in (first, ~first):
        weights = places.witness(mine[~tested], theirs[~tested])
        differences = places.seen(mine[tested], weights) - places.seen(theirs[tested], weights)
        found.append(p_values(differences, units[tested]))
    density = places.closeness(mine).sum(axis=0) / places.closeness(theirs).sum(axis=0)
    return _Tests(found[0], found[1], density)


def _holding(tests: Mapping[str, _Tests]) -> Iterator[_Holding]:
    """What both halves show, student by student, the surest first."""
    adjusted = iter(holm([p for one in tests.values() for p in one.second.tolist()]))
    for case_key, one in tests.items():
        second = [next(adjusted) for _ in one.second]
        for place in sorted(range(len(second)), key=second.__getitem__):
            if one.first[place] <= LEVEL and second[place] <= LEVEL:
                yield _Holding(case_key, place, float(one.first[place]), second[place], float(one.density[place]))


def _gap(one: _Holding, nearest: NDArray[np.int64], material: Material) -> Gap:
    members = np.flatnonzero(nearest == one.place).tolist()
    evidence = (
        f"{len(members)} samples{_mostly([material.names[i] for i in members])}: the student has {one.density:.2f} "
        f"samples there for each of the teacher's (p = {one.p_first:.1g} in the half that found it, "
        f"{one.p_second:.1g} after correction in the other); see samples "
    )
    named = ", ".join(str(material.sample_ids[i]) for i in members[:NAMED])
    return Gap(one.case_key, slice_id(one.place), evidence + named)


def _mostly(names: Sequence[str]) -> str:
    """``, 78 % sneaker``; "" where nothing is known of the samples."""
    known = Counter(name for name in names if name)
    if not known:
        return ""
    name, count = known.most_common(1)[0]
    return f", {count / len(names):.0%} {name}"
