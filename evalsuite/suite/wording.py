"""How a value, a list of choices or pydantic's complaint is put into words for the author of a suite."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from evalsuite.errors import nearest

_SHOWN_LENGTH = 60

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "a mapping (keys with values)",
    "mapping": "a mapping (keys with values)",
    "model": "a mapping (keys with values)",
    "path": "a path",
}

_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def shown(value: Any) -> str:
    """A value of the file, on one line, unprintable characters escaped and long text cut."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 3]}..."


def one_of(names: Iterable[str]) -> str:
    """``teacher, student or control``, in the order given."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def choice(name: str, known: Iterable[str], kind: str) -> tuple[str, str]:
    """(expected, hint) where a name is none of the known ones; the list is said once, not in both."""
    names = list(known)
    hint = nearest(name, names) if names else ""
    if hint.startswith("did you mean"):
        return kind, hint
    return f"{kind}: {one_of(names)}" if names else f"{kind}, but there is none", ""


def kind_of(annotation: Any) -> str:
    """What a field of this type takes."""
    if get_origin(annotation) is Literal:
        return one_of(map(str, get_args(annotation)))
    base = get_origin(annotation) or annotation
    words = {str: "string", int: "int", float: "float", bool: "bool", list: "list", tuple: "tuple", Path: "path"}
    if base in words:
        return _TYPES[words[base]]
    return _TYPES["mapping"] if inspect.isclass(base) else "a value"


def expectation(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, str]:
    """(expected, hint) of a pydantic error by its type, its context and its message."""
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"{words} {context[name]}", ""
    if kind == "int_from_float":
        return "a whole number", ""
    if kind in ("too_short", "too_long"):
        bound, length = ("at least", "min_length") if kind == "too_short" else ("at most", "max_length")
        return f"{bound} {context[length]} entr{'y' if context[length] == 1 else 'ies'}", ""
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters", ""
    if kind == "string_pattern_mismatch":
        return "letters, digits, '.', '_' and '-', the first a letter or digit", ""
    if kind == "finite_number":
        return "a finite number", ""
    if (type_name := kind.removesuffix("_type").removesuffix("_parsing")) in _TYPES:
        return _TYPES[type_name], ""
    if kind in ("value_error", "assertion_error"):
        text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return (text.removeprefix("expected "), "") if text.startswith("expected ") else ("another choice", text)
    return message[:1].lower() + message[1:], ""
