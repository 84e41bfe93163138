"""JSON Schema of suite files, for completion and checks in editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from evalsuite import plugins
from evalsuite.plugins import Room
from evalsuite.suite.schema import NAME_PATTERN, Suite

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def json_schema() -> Schema:
    """The schema of a suite file as it is written, with the settings of every plug-in that is installed.

    It is a little kinder than ``load_suite``: it knows no names that one section defines and another uses.
    """
    schema = Suite.model_json_schema()
    definitions: Schema = schema.pop("$defs")
    properties: Schema = schema["properties"]
    matrix = {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}}
    role = definitions["ModelSpec"]["properties"]["role"]
    properties["reference"] = _flat("datasets", "dataset", {}, definitions, named_alone=True)
    properties["inputs"] = _flat("datasets", "dataset", {}, definitions, named_alone=True)
    properties["prompts"] = _flat("prompts", "set", {}, definitions, named_alone=True)
    only_on = _one_or_more(definitions["ModelSpec"]["properties"]["targets"])
    own = {"role": role, "targets": only_on, "matrix": matrix}
    properties["models"] = _named(_flat("models", "adapter", own, definitions, ["role"]))
    properties["targets"] = _named(_flat("targets", "device", {"matrix": matrix}, definitions))
    label = {"type": "string", "pattern": NAME_PATTERN}
    against = definitions["MetricSpec"]["properties"]["against"]
    own = {"name": label, "against": against, "targets": only_on}
    properties["metrics"]["items"] = _keyed("metrics", own, definitions)
    cross = _one_or_more(definitions["SliceSpec"]["properties"]["cross"])
    properties["slices"]["items"] = _keyed("slices", {"cross": cross}, definitions)
    definitions["ReportSpec"]["properties"]["formats"]["items"] = {"enum": list(plugins.names("reports"))}
    for optional in ("reference", "prompts", "inputs", "slices", "gates", "report"):
        properties[optional] = {"anyOf": [properties[optional], {"type": "null"}]}
    properties["include"] = {"type": ["string", "array"], "items": {"type": "string"}}
    used = {name: definitions[name] for name in definitions if name not in _REPLACED}
    schema |= {"$schema": DIALECT, "title": "evalsuite suite", "patternProperties": {"^x-": {}}, "$defs": used}
    schema["if"], schema["then"] = {"not": {"required": ["include"]}}, {"required": schema.pop("required")}
    return schema


_REPLACED = ("ReferenceSpec", "PromptSpec", "ModelSpec", "TargetSpec", "MetricSpec", "SliceSpec")
"""Records that a file writes in another shape."""


def _one_or_more(of_list: Schema) -> Schema:
    """A list of names, or a name alone."""
    return {"anyOf": [{"type": "string"}, of_list]}


def _flat(
    room: Room,
    chooser: str,
    own: Mapping[str, Any],
    definitions: Schema,
    required: list[str] | None = None,
    named_alone: bool = False,
) -> Schema:
    """One object for each plug-in of a room, its settings beside the key that chooses it; or its name alone.

    A required setting may come from a matrix or a merge key, so only ``required`` and the chooser are asked for.
    """
    objects: list[Schema] = [{"enum": list(plugins.names(room))}] if named_alone else []
    for name in plugins.names(room):
        settings = _settings(room, name, definitions)
        properties = {chooser: {"const": name}, **own, **settings.get("properties", {})}
        objects.append({**settings, "properties": properties, "required": [chooser, *(required or [])]})
    return {"anyOf": objects}


def _keyed(room: Room, own: Schema, definitions: Schema) -> Schema:
    """A plug-in's bare name, or an object with this name as its key and the settings below it."""
    objects: list[Schema] = [{"enum": list(plugins.names(room))}]
    for name in plugins.names(room):
        settings = _settings(room, name, definitions)
        first = next(iter(settings.get("properties", {}).values()), None) if room == "slices" else None
        value = {"anyOf": [settings, {"type": "null"}, *([first] if first is not None else [])]}
        properties = {name: value, **own}
        objects.append({"type": "object", "properties": properties, "required": [name], "additionalProperties": False})
    return {"anyOf": objects}


def _settings(room: Room, name: str, definitions: Schema) -> Schema:
    """A plug-in's own schema; what it defines moves to ``definitions`` under a name that cannot collide."""
    plugin: type[BaseModel] = plugins.find(room, name)
    schema = plugin.model_json_schema(ref_template=f"#/$defs/{room}.{name}.{{model}}")
    definitions |= {f"{room}.{name}.{key}": value for key, value in schema.pop("$defs", {}).items()}
    return schema


def _named(entry: Schema) -> Schema:
    """A mapping from names to entries; a name with ``{setting}`` in it belongs to a matrix."""
    return {"type": "object", "minProperties": 1, "additionalProperties": entry}
