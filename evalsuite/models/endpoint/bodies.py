"""What goes into the body of a request, and how an image is taken out of an answer's."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from evalsuite.errors import Failed, nearest
from evalsuite.suite.schema import Fault

PLACEHOLDERS = ("prompt", "seed", "label", "sample_id")
_PLACEHOLDER = re.compile(r"\{(prompt|seed|label|sample_id)\}")
_DATA_URL = re.compile(r"data:image/[a-z+.-]+;base64,")


def filled(template: JsonValue, values: Mapping[str, str | int]) -> JsonValue:
    """The template with values in the place of ``{prompt}`` and the like; keys stay as they are.

    A text that is nothing but a placeholder becomes the value itself, with its type. Values are put in once and never
    looked at again, so a prompt may hold braces, quotes, or another placeholder's name.
    """
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    alone = _PLACEHOLDER.fullmatch(template)
    return values[alone[1]] if alone else _PLACEHOLDER.sub(lambda found: str(values[found[1]]), template)


def used(template: JsonValue) -> set[str]:
    """Names of the placeholders of a template."""
    return {name for text in _texts(template) for name in _PLACEHOLDER.findall(text)}


def template_faults(template: JsonValue, place: tuple[str, ...]) -> Iterator[Fault]:
    """Placeholders that are misspelt, or that YAML has read as a mapping because they lack quotes."""
    if isinstance(template, dict):
        if len(template) == 1 and next(iter(template)) in PLACEHOLDERS and None in template.values():
            name = next(iter(template))
            yield Fault(place, f"{{{name}}} without quotes", f'"{{{name}}}"', "YAML takes bare braces for a mapping")
        for key, value in template.items():
            yield from template_faults(value, (*place, key))
    elif isinstance(template, list):
        for value in template:
            yield from template_faults(value, place)
    elif isinstance(template, str) and re.fullmatch(r"\{[a-z_]+\}", template) and not _PLACEHOLDER.fullmatch(template):
        yield Fault(place, repr(template), "one of the placeholders", nearest(template[1:-1], PLACEHOLDERS))


def image_in(body: bytes, path: str) -> bytes:
    """The file that lies in a JSON text, as base64, at a path like ``data.0.b64_json``.

    Raises:
        Failed: the body is no JSON, or there is something else at the path.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Failed(f"found no JSON, expected an image in it at {path}") from error
    for step in path.split("."):
        found = _stepped(found, step, path)
    if not isinstance(found, str):
        raise Failed(f"found {_kind(found)} at {path}, expected an image in base64")
    try:
        return base64.b64decode(_DATA_URL.sub("", found, count=1), validate=True)
    except ValueError as error:
        raise Failed(
            f"found text at {path} that is no base64, expected an image; an address is not followed"
        ) from error


def error_codes(body: bytes) -> set[str]:
    """What an answer gives as its error's code or type: ``{"error": {"code": ...}}``, or the same without ``error``."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return set()
    places = [found, found.get("error")] if isinstance(found, dict) else []
    codes = [place.get(name) for place in places if isinstance(place, dict) for name in ("code", "type")]
    return {code for code in codes if isinstance(code, str)}


def _texts(template: JsonValue) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict | list):
        for value in template.values() if isinstance(template, dict) else template:
            yield from _texts(value)


def _stepped(value: JsonValue, step: str, path: str) -> JsonValue:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    raise Failed(f"found {_kind(value)} without {step!r} in the JSON, expected an image at {path}")


def _kind(value: JsonValue) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return f"a list of {len(value)}"
        case str():
            return "a text"
        case None:
            return "null"
    return "a number or a truth value"
