"""Which models, targets and slices a run has, in the order and the colours that every table and figure keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evalsuite.records import RunRecord

TEACHER_COLOUR = "#808080"
COLOURS = (
    "#d55e00", "#0284c7", "#0d9f78", "#c2559d", "#b58a00", "#7c6fe0", "#d6455d", "#3f9fb5", "#7f9434", "#a8694a",
)  # fmt: skip
"""For students: mid-tones that stand on white and on black; marks differ in shape too, for the colour-blind."""
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


def place(record: RunRecord, case_key: str) -> Place:
    """Where a case stands, from its cells; from the key itself where it has none."""
    for cell in (*record.measurements, *record.missing):
        if cell.case_key == case_key:
            return Place(cell.model, cell.target, cell.slice)
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
    return _in_order([*record.suite.get("targets", {}), *(c.target for c in (*record.measurements, *record.missing))])


def slices(record: RunRecord) -> list[str]:
    """All slices but ``all``, in the order they were measured."""
    found = _in_order([c.slice for c in (*record.measurements, *record.missing)])
    return [slice_id for slice_id in found if slice_id != "all"]


def subset_axes(record: RunRecord) -> list[str]:
    """Attributes whose slices are parts of the same samples, such as ``class``."""
    declared = [spec for spec in record.suite.get("slices", ()) if spec.get("kind") == "attribute"]
    return _in_order([str(spec.get("settings", {}).get("by", "class")) for spec in declared])


def _in_order(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))
