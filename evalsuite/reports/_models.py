"""Which models, targets and slices a run has, in the order and the colours that every table and figure keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evalsuite.records import RunRecord
from evalsuite.reports._format import plain

TEACHER_COLOUR = "#808080"
COLOURS = (
    "#d55e00", "#0284c7", "#0d9f78", "#c2559d", "#b58a00", "#7c6fe0", "#d6455d", "#3f9fb5", "#7f9434", "#a8694a",
)  # fmt: skip
"""For students: mid-tones that stand on white and on black; marks differ in shape too, for the colour-blind."""
LONGEST_NAME = 28
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")


class Place(NamedTuple):
    """The three parts of a case's key ``model@target/slice``."""

    model: str
    target: str
    slice: str


@dataclass(frozen=True)
class Model:
    """A column of the tables; ``index`` picks its colour, 0 being kept for the first teacher."""

    name: str
    role: str
    index: int

    @property
    def colour(self) -> str:
        return COLOURS[(self.index - 1) % len(COLOURS)] if self.index else TEACHER_COLOUR

    @property
    def marker(self) -> str:
        return MARKERS[(self.index - 1) % len(MARKERS)] if self.index else "*"


def places(record: RunRecord) -> Mapping[str, Place]:
    """Where each case stands, from its cells; from the key itself where it has none."""
    cells = {c.case_key: Place(c.model, c.target, c.slice) for c in (*record.missing, *record.measurements)}
    others = (*(t.case_key for t in record.timings), *(p.case_key for p in record.gallery))
    return {key: _place_of(key) for key in others} | cells


def place(record: RunRecord, case_key: str) -> Place:
    """Where one case stands."""
    return places(record).get(case_key) or _place_of(case_key)


def _place_of(case_key: str) -> Place:
    head, _, slice_id = case_key.partition("/")
    model, _, target = head.rpartition("@")
    return Place(model, target, slice_id)


def models(record: RunRecord) -> list[Model]:
    """Teachers first, then in the suite's order, then whatever else was measured."""
    declared = record.suite.get("models", {})
    roles = {name: str(spec.get("role", "student")) for name, spec in declared.items()}
    for cell in (*record.measurements, *record.missing):
        roles.setdefault(cell.model, cell.role)
    ordered = sorted(roles, key=lambda name: roles[name] != "teacher")
    first_is_teacher = bool(ordered) and roles[ordered[0]] == "teacher"
    return [Model(name, roles[name], i if first_is_teacher else i + 1) for i, name in enumerate(ordered)]


def targets(record: RunRecord) -> list[str]:
    """In the suite's order, then whatever else was measured."""
    return _in_order([*record.suite.get("targets", {}), *(place.target for place in places(record).values())])


def slices(record: RunRecord) -> list[str]:
    """All slices but ``all``, in the order they were measured."""
    found = _in_order([c.slice for c in (*record.measurements, *record.missing)])
    return [slice_id for slice_id in found if slice_id != "all"]


def subsets(record: RunRecord) -> list[str]:
    """Slices that are parts of the same samples, such as ``class=sneaker``."""
    return [one.id for one in record.slices if not one.varied]


def kind_of(slice_id: str) -> str:
    """What slices are shown together: ``class`` of ``class=sneaker``, ``latent`` of ``latent.scale=1.1``.

    ``class=sneaker&guidance=2.5`` is of the kind ``class & guidance``.
    """
    return " & ".join(part.partition("=")[0].partition(".")[0] for part in slice_id.split("&"))


def label_of(slice_id: str) -> str:
    """What tells it from others of its kind: ``sneaker``, ``scale=1.1``, ``sneaker & 2.5``."""
    parts = [re.split(r"[.=]", part, maxsplit=1) for part in slice_id.split("&")]
    return " & ".join(part[-1] for part in parts)


def slug(name: str) -> str:
    """A name as part of a file name: letters, digits and hyphens, at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "x"


def short(name: str) -> str:
    """A name that fits beside a point."""
    name = plain(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _in_order(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
