"""From a name in a suite file to the class behind it: one file a name, or an entry point of another package.

A built-in metric ``class_accuracy`` is the class ``ClassAccuracy`` in ``evalsuite/metrics/class_accuracy.py``; a name
may be written with hyphens (``fashion-mnist`` is ``FashionMnist`` in ``fashion_mnist.py``). Other packages register
classes under the entry-point group ``evalsuite.<room>``.

A class that works only with one of evalsuite's optional dependencies names it in a class variable ``package_extra``.

Where there is room for one text only, settings follow the name: ``inception-v3:layer=192,dtype=bfloat16``.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from evalsuite.errors import UnknownNameError, UsageError, nearest, with_article

Room = Literal[
    "models", "datasets", "prompts", "targets", "scenarios", "slices", "features", "metrics", "executors", "reports"
]
KINDS: dict[Room, str] = {
    "models": "model adapter",
    "datasets": "dataset",
    "prompts": "prompt set",
    "targets": "target device",
    "scenarios": "scenario",
    "slices": "slice kind",
    "features": "extractor",
    "metrics": "metric",
    "executors": "executor",
    "reports": "report format",
}


@cache
def names(room: Room) -> tuple[str, ...]:
    """All names of a room, built in or registered, as they are written in a suite file."""
    folder = Path(__file__).parent / room
    modules = (module.name for module in pkgutil.iter_modules([str(folder)]))
    builtin = {spelled(room, name) for name in modules if name != "contract" and not name.startswith("_")}
    return tuple(sorted(builtin | {point.name for point in entry_points(group=f"evalsuite.{room}")}))


def spelled(room: Room, module: str) -> str:
    """A module's name as a suite writes it: extractors and datasets with hyphens, the rest with underscores."""
    return module.replace("_", "-") if room in ("features", "datasets") else module


@cache
def find(room: Room, name: str) -> Any:
    """The class of that name; it is imported now.

    Raises:
        UnknownNameError: there is none; the message offers the nearest.
    """
    if name not in names(room):
        raise UnknownNameError(KINDS[room], name, names(room))
    for point in entry_points(group=f"evalsuite.{room}"):
        if point.name == name:
            return point.load()
    module = importlib.import_module(f"evalsuite.{room}.{name.replace('-', '_')}")
    return getattr(module, "".join(part.capitalize() for part in name.replace("-", "_").split("_")))


def make(room: Room, text: str) -> Any:
    """The object that a text like ``pixels`` or ``inception-v3:layer=192,dtype=bfloat16`` describes.

    Raises:
        UnknownNameError: no plug-in of that name, or no setting of that name.
        UsageError: a setting has no value, is there twice, or is refused; says what was expected.
    """
    from pydantic import ValidationError

    name, settings = parse(text)
    plugin = find(room, name)
    try:
        return plugin.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        setting = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            raise UnknownNameError(f"setting of {name}", setting, plugin.model_fields) from error
        if first["type"] == "missing":
            raise UsageError(f"{text!r}: found no {setting}, which {name} needs; write {name}:{setting}=...") from error
        expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        raise UsageError(f"{text!r}: found {setting}={settings.get(setting)}, expected {expected}") from error


def accepted(room: Room, text: str) -> Any:
    """As ``make``, for a setting that holds such a text: pydantic's validators refuse a value by ``ValueError``.

    Raises:
        ValueError: as ``make``, in words that follow "found 'fidd', ".
    """
    try:
        return make(room, text)
    except UnknownNameError as error:
        raise ValueError(f"expected {with_article(error.kind)} ({nearest(error.name, error.known)})") from error
    except UsageError as error:
        raise ValueError(f"expected {with_article(KINDS[room])} with settings it takes ({error})") from error


def parse(text: str) -> tuple[str, dict[str, str | int | float | bool]]:
    """``name:key=value,key=value`` -> the name and its settings; numbers, ``true`` and ``false`` as in a suite file.

    Raises:
        UsageError: a setting has no value, or is there twice.
    """
    name, colon, rest = text.partition(":")
    settings: dict[str, str | int | float | bool] = {}
    for part in rest.split(",") if colon else []:
        key, equals, value = part.partition("=")
        if not (key and equals and value):
            raise UsageError(
                f"{text!r}: found {part!r} after the name, expected settings as in {name}:key=value,key=value"
            )
        if key in settings:
            raise UsageError(f"{text!r}: found {key} for the second time, expected each setting once")
        settings[key] = _scalar(value)
    return name, settings


def _scalar(text: str) -> str | int | float | bool:
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


@cache
def sources_hash(*rooms: str) -> str:
    """SHA-256 over the Python sources of some rooms: part of the cache key of what their code computes."""
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted((Path(__file__).parent / room).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
