"""The slices of a suite: variations, subsets, and parts of variations where the suite crosses them; derived ones come
later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import Skipped
from evalsuite.records import Slice
from evalsuite.slices.contract import Columns, Derived, SliceCase, Subset, Variation, joined_id
from evalsuite.suite.schema import SliceSpec, Suite

Parts = Mapping[str, NDArray[np.int64]]
"""Positions of samples by the id of a subset."""


@dataclass(frozen=True)
class Varied:
    """A variation, and the subsets that it is crossed with.

    Attributes:
        kind: the slice kind's name in the suite.
        crossed: positions by the subset's own id (``class=sneaker``).
    """

    kind: str
    case: SliceCase
    crossed: Parts

    def id_of(self, part: str) -> str:
        """``class=sneaker&guidance=2.5``."""
        return joined_id(self.case.id, part)


@dataclass(frozen=True)
class Slices:
    """All slices of a suite but ``all``.

    Attributes:
        kinds: of the subsets, by id.
    """

    variations: tuple[Varied, ...]
    subsets: Parts
    kinds: Mapping[str, str]

    def chosen(self, keeps: Callable[[str], bool]) -> Slices:
        """Those whose ids are to be kept, and what they are parts of or compared with."""
        variations = [
            Varied(one.kind, one.case, {part: where for part, where in one.crossed.items() if keeps(one.id_of(part))})
            for one in self.variations
        ]
        kept = tuple(one for one in variations if one.crossed or keeps(one.case.id))
        bases = {part for one in kept for part in one.crossed}
        return Slices(kept, {i: where for i, where in self.subsets.items() if keeps(i) or i in bases}, self.kinds)

    def notes(self) -> Iterator[Slice]:
        """What a record says of each."""
        for part in self.subsets:
            yield Slice(id=part, kind=self.kinds[part])
        for one in self.variations:
            case = one.case
            note = Slice(
                id=case.id, kind=one.kind, varied=True, curve=case.curve, level=case.level, unchanged=case.unchanged
            )
            yield note
            for part in one.crossed:
                own = {"id": one.id_of(part), "base": part, "curve": joined_id(part, case.curve)}
                yield note.model_copy(update=own)


def slices_of(suite: Suite, columns: Columns) -> Slices:
    """The suite's slices of samples of which so much is known. A crossed subset is one by itself, too: it is what its
    variations are compared with, and costs no samples.

    Raises:
        Skipped: samples lack what slices are made by.
    """
    variations: list[Varied] = []
    subsets: dict[str, NDArray[np.int64]] = {}
    kinds: dict[str, str] = {}
    for spec in suite.slices:
        name, subset = _subset(spec)
        parts = {} if subset is None else subset.select(columns)
        subsets.update(parts)
        kinds = {**dict.fromkeys(parts, name), **kinds}
        kind = _kind(spec)
        if kind.kind == "variation":
            variations += [Varied(spec.kind, case, parts) for case in kind.expand()]
    return Slices(tuple(variations), subsets, kinds)


def parts_of(suite: Suite, columns: Columns) -> Parts:
    """Positions by subset in images that may lack what samples are told apart by, such as tags of prompts."""
    parts: dict[str, NDArray[np.int64]] = {}
    for spec in suite.slices:
        _, subset = _subset(spec)
        with suppress(Skipped):
            parts.update({} if subset is None else subset.select(columns))
    return parts


def derived_of(suite: Suite) -> list[tuple[str, Derived]]:
    """The slice kinds of a suite that need features first, by name."""
    kinds = [(spec.kind, _kind(spec)) for spec in suite.slices]
    return [(name, kind) for name, kind in kinds if kind.kind == "derived"]


def _kind(spec: SliceSpec) -> Variation | Subset | Derived:
    kind: Variation | Subset | Derived = plugins.find("slices", spec.kind).model_validate(spec.settings)
    return kind


def _subset(spec: SliceSpec) -> tuple[str, Subset | None]:
    """The subset that an entry declares, or by which it crosses its variation, and the kind it is of."""
    kind = _kind(spec)
    if kind.kind == "subset":
        return spec.kind, kind
    crossing = plugins.find("slices", "attribute")
    return "attribute", crossing.model_validate({"by": spec.cross}) if spec.cross else None
