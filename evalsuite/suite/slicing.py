"""The slices of a suite file: the ids that they will have, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from evalsuite import plugins
from evalsuite.errors import CellError, Problem, Skipped
from evalsuite.models.contract import ModelAdapter
from evalsuite.slices.contract import Columns, SliceCase, joined_id, lacking
from evalsuite.suite.document import Node
from evalsuite.suite.wording import shown


class _Ids(NamedTuple):
    """Of one entry: its slices, and the subsets that it crosses them with."""

    own: list[str]
    crossed: Sequence[str] = ()


@dataclass
class SliceReading:
    """One reading of the section ``slices``; collects problems.

    Attributes:
        objects: what the plug-ins made of their settings, by the path of the entry.
        columns: what is known of the samples; None where nothing can be known now.
        models, targets: those of the suite; empty where one of them is wrong, so that nothing is said about them.
    """

    objects: Mapping[str, Any]
    columns: Columns | None
    models: Sequence[Any] = ()
    targets: Sequence[Any] = ()
    problems: list[Problem] = field(default_factory=list)

    def ids(self, entries: Sequence[Node]) -> list[str] | None:
        """Ids of all slices, ``all`` left out; None where some cannot be known. A crossed subset is one by itself."""
        found = [self._ids_of(entry) for entry in entries]
        first: dict[str, Node] = {}
        for entry, ids in zip(entries, found, strict=True):
            own = ids.own if ids is not None else []
            twice = next((one for one in own if one in first or own.count(one) > 1), None)
            if twice is not None and (twice not in first or first[twice].plain() != entry.plain()):
                hint = f"line {first.get(twice, entry).place.line} has it already"
                self.problems.append(entry.problem(f"the slice {twice} for the second time", "each slice once", hint))
            first.update({one: entry for one in own if one not in first})
        crossed = [part for ids in found if ids is not None for part in ids.crossed]
        return None if None in found else list(dict.fromkeys([*first, *crossed]))

    def _ids_of(self, entry: Node) -> _Ids | None:
        kind = self.objects.get(entry.path)
        if kind is None:
            return None
        cross = (entry.mapping or {}).get("cross")
        if kind.kind != "variation" and cross is not None:
            hint = "to combine attributes, write attribute: {by: [class, challenge]}"
            self.problems.append(cross.problem("cross for a subset", "cross beside a variation", hint))
        if kind.kind == "derived":
            return _Ids([])
        if kind.kind == "subset":
            parts = self._selected(kind, entry, shown(entry.plain()))
            return None if parts is None else _Ids(parts)
        cases = kind.expand()
        self.problems += [problem for case in cases for problem in self._inability(case, entry)]
        parts = [] if cross is None else self._crossing(cross)
        if parts is None:
            return None
        ids = [case.id for case in cases]
        return _Ids([*ids, *(joined_id(one, part) for one in ids for part in parts)], parts)

    def _crossing(self, cross: Node) -> list[str] | None:
        """Ids of the subsets that a variation is crossed with; None where they cannot be known."""
        names = cross.plain()
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            return None  # said where the suite's own form is checked
        try:
            attribute = plugins.find("slices", "attribute").model_validate({"by": names})
        except ValidationError:
            self.problems.append(cross.problem(shown(names), "each attribute once"))
            return None
        return self._selected(attribute, cross, ", ".join(names))

    def _selected(self, subset: Any, node: Node, found: str) -> list[str] | None:
        if self.columns is None:
            return None
        try:
            return list(subset.select(self.columns))
        except Skipped as error:
            self.problems.append(node.problem(found, "a slice of these samples", str(error)))
            return None

    def _inability(self, case: SliceCase, entry: Node) -> Iterator[Problem]:
        """A slice that no model or no target of the suite can do; what some cannot do is missing from their run."""
        reasons = [_unable(case, model) for model in self.models]
        if reasons and all(reasons):
            hint = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
            yield entry.problem(f"the slice {case.id}", "one that some model of the suite can do", hint)
        refusals = [_refusal(target, case.target) for target in self.targets] if case.target else []
        if refusals and all(refusals):
            hint = "; ".join(dict.fromkeys(refusals))
            yield entry.problem(f"the slice {case.id}", "one that some target of the suite can do", hint)


def _unable(case: SliceCase, model: ModelAdapter) -> str:
    """Why a model cannot do a slice; "" if it can, or if that cannot be known now."""
    try:
        return lacking(case, model.capabilities()) or _refusal(model, case.settings)
    except CellError:
        return ""


def _refusal(settings: Any, changes: Mapping[str, Any]) -> str:
    """What settings say to other values; "" where they take them."""
    if not changes:
        return ""
    try:
        type(settings).model_validate({**settings.model_dump(mode="json"), **changes})
    except ValidationError as error:
        return "; ".join(_sentence(problem) for problem in error.errors())
    return ""


def _sentence(problem: ErrorDetails) -> str:
    """``num_steps: expected less than or equal to 1000``."""
    said = problem["msg"].removeprefix("Value error, ").replace("Input should be ", "expected ")
    return ": ".join([*map(str, problem["loc"][:1]), said])
