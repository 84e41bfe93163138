"""A node of the file -> a settings object, or pydantic's complaints as problems with their places."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from evalsuite.errors import Problem
from evalsuite.suite.document import Node
from evalsuite.suite.schema import Fault
from evalsuite.suite.wording import choice, expectation, kind_of, one_of, shown

Model = TypeVar("Model", bound=BaseModel)
Location = Sequence[str | int]


def validate(
    model: type[Model], node: Node, *, also: Iterable[str] = (), kind: str = "key"
) -> tuple[Model | None, list[Problem]]:
    """Build ``model`` from a mapping; relative paths are taken from the folder of the node's file.

    Args:
        also: keys that are right beside the model's own; the caller has taken them out.
        kind: what an unknown key is called, as ``setting of zoo``.

    Returns:
        The object, or None and why not.
    """
    if node.mapping is None:
        return None, [node.problem(shown(node.plain()), "a mapping (keys with values)")]
    folder = Path(node.place.file).parent.resolve()
    try:
        value = model.model_validate(node.plain(), context={"base": folder})
    except ValidationError as error:
        return None, list(_Complaints(model, node, [*also], kind, error).problems())
    problems = list(_misread(node, value.model_dump()))
    return (None, problems) if problems else (value, [])


def fault_problem(node: Node, fault: Fault) -> Problem:
    """A fault of several fields, at the field it names, or at its parent where that is left out."""
    place, _ = _follow(node, fault.location)
    return place.problem(fault.found, fault.expected, fault.hint)


class _Complaints:
    """The errors of one validation, put into words."""

    def __init__(self, model: type[BaseModel], root: Node, also: list[str], kind: str, error: ValidationError) -> None:
        self.model, self.root, self.also, self.kind = model, root, also, kind
        self.errors = error.errors()

    def problems(self) -> Iterator[Problem]:
        for error in self.errors:
            location: Location = error["loc"]
            node, _ = _follow(self.root, location)
            if error["type"] == "faults":
                yield from (fault_problem(node, fault) for fault in error["ctx"]["faults"])
            elif error["type"] == "missing":
                yield self._missing(location)
            elif error["type"] == "extra_forbidden":
                yield self._unknown(location)
            elif error["type"] in ("literal_error", "enum"):
                yield _not_a_choice(node, str(error["ctx"]["expected"]))
            else:
                yield self._wrong_value(error, location, node)

    def _missing(self, location: Location) -> Problem:
        """A key that must be there is not; if a stranger looks like it, that one is shown."""
        node, _ = _follow(self.root, location[:-1])
        key = str(location[-1])
        refused = [e["loc"] for e in self.errors if e["type"] == "extra_forbidden"]
        strangers = [k for k in node.keys if (*location[:-1], k) in refused or k not in (node.mapping or {})]
        close = difflib.get_close_matches(key, strangers, n=1, cutoff=0.6)
        if close:
            return node.problem(f"key {shown(close[0])}", f"key {key!r}", f"did you mean {key!r}?", key=close[0])
        owner = _model_at(self.model, location[:-1])
        field = owner.model_fields.get(key) if owner is not None else None
        return node.problem(f"no key {key!r}", f"{key}: {kind_of(field.annotation)}" if field else f"key {key!r}")

    def _unknown(self, location: Location) -> Problem:
        node, _ = _follow(self.root, location[:-1])
        key, nested = str(location[-1]), len(location) > 1
        owner = _model_at(self.model, location[:-1])
        allowed = [*([] if nested else self.also), *(owner.model_fields if owner else ())]
        expected, hint = choice(key, allowed, "a key" if nested else f"a {self.kind}")
        return node.problem(f"key {shown(key)}", expected, hint, key=key)

    def _wrong_value(self, error: Any, location: Location, node: Node) -> Problem:
        expected, hint = expectation(error["type"], error.get("ctx", {}), error["msg"])
        if location[-1:] == ("[key]",):
            parent, _ = _follow(self.root, location[:-2])
            return parent.problem(f"the name {shown(error['input'])}", expected, hint, key=str(error["input"]))
        found = "settings that are refused" if not location else shown(node.plain())
        return node.problem(found, expected, hint or _number_hint(node.value, expected))


def _follow(node: Node, location: Location) -> tuple[Node, Location]:
    """The node at a pydantic location and what of the location has no node (a missing key, a tag of a union)."""
    for depth, step in enumerate(location):
        if isinstance(step, str) and node.mapping is not None and step in node.mapping:
            node = node.mapping[step]
        elif isinstance(step, int) and node.items is not None and step < len(node.items):
            node = node.items[step]
        else:
            return node, location[depth:]
    return node, ()


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that stands at a location inside ``model``; None where that is no model."""
    current: Any = model
    for step in location:
        if inspect.isclass(current) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(step))
            current = field.annotation if field else None
        else:
            current = get_args(current)[-1] if get_args(current) else None
        inner = [arg for arg in get_args(current) if inspect.isclass(arg) and issubclass(arg, BaseModel)]
        if type(None) in get_args(current) and inner:
            current = inner[0]
    return current if inspect.isclass(current) and issubclass(current, BaseModel) else None


def _not_a_choice(node: Node, listed: str) -> Problem:
    """``listed`` is pydantic's list of the choices: ``'a', 'b' or 'c'``."""
    choices = [word.strip().strip("'") for part in listed.split(" or ") for word in part.split(",")]
    found = node.plain()
    hint = choice(found, choices, "")[1] if isinstance(found, str) else ""
    return node.problem(shown(found), one_of(choices), hint)


def _number_hint(value: object, expected: str) -> str:
    if isinstance(value, str) and "number" in expected:
        plain = value.replace("_", "").replace(",", "").replace(" ", "")
        return f"write it plainly: {plain}" if plain.isdigit() and plain != value else ""
    if isinstance(value, (int, float)) and expected == "text":
        return f'in quotes it is text: "{shown(value)}"'
    whole = isinstance(value, float) and value.is_integer() and expected == "a whole number"
    return f"write {value:.0f}" if whole else ""


def _misread(node: Node, value: Any) -> Iterator[Problem]:
    """Values that pydantic is too kind to: ``true`` taken for the number 1, the text ``nan`` for a number."""
    if node.mapping is not None and isinstance(value, dict):
        for key, child in node.mapping.items():
            yield from _misread(child, value.get(key))
    elif node.items is not None and isinstance(value, (list, tuple)):
        for child, item in zip(node.items, value, strict=False):
            yield from _misread(child, item)
    elif isinstance(node.value, bool) and isinstance(value, (int, float)) and not isinstance(value, bool):
        yield node.problem(shown(node.value), "a number")
    elif isinstance(value, float) and not math.isfinite(value):
        yield node.problem(shown(node.value), "a finite number")
