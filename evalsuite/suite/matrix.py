"""``matrix: {num_steps: [4, 8, 16]}`` in a model or target: one entry becomes one for each combination of values.

The entry's name says where the values go: ``teacher-{num_steps}`` becomes ``teacher-4``, ``teacher-8``, ``teacher-16``.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

from evalsuite.errors import Problem
from evalsuite.suite.document import Node, Place
from evalsuite.suite.wording import shown

MAX_ENTRIES = 256


def expand(section: Node) -> tuple[Node, list[Problem]]:
    """A section (``models``, ``targets``) with every ``matrix`` written out, and the mistakes of those that cannot."""
    entries: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    problems: list[Problem] = []
    for name, entry in (section.mapping or {}).items():
        for made, node in _entries(name, entry, section, problems).items():
            if made in entries:
                hint = f"{keys[made].file}:{keys[made].line} makes it already"
                problems.append(section.problem(f"{shown(made)} for the second time", "each name once", hint, key=name))
                continue
            entries[made], keys[made] = node, section.keys[name]
    return replace(section, value=entries, keys=keys), problems


def _entries(name: str, entry: Node, section: Node, problems: list[Problem]) -> dict[str, Node]:
    matrix = (entry.mapping or {}).get("matrix")
    placeholders = set(re.findall(r"\{([^{}]*)\}", name))
    if matrix is None:
        if placeholders:
            found, hint = f"{shown(name)} without a matrix", "such as matrix: {num_steps: [4, 8]}"
            problems.append(section.problem(found, "a matrix that fills the braces", hint, key=name))
            return {}
        return {name: entry}
    mistakes = list(_mistakes(name, placeholders, entry, matrix, section))
    if mistakes:
        problems += mistakes
        return {}
    axes = {key: node.items or [] for key, node in (matrix.mapping or {}).items()}
    rest = entry.without("matrix")
    made: dict[str, Node] = {}
    for values in itertools.product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        spelled = {key: _spelled(node) for key, node in chosen.items()}
        filled = re.sub(r"\{([^{}]*)\}", lambda match, words=spelled: words[match[1]], name)  # type: ignore[misc]
        settings = {**(rest.mapping or {}), **chosen}
        made[filled] = replace(rest, value=settings, keys={**rest.keys, **matrix.keys})
    return made


def _mistakes(name: str, placeholders: set[str], entry: Node, matrix: Node, section: Node) -> list[Problem]:
    if not matrix.mapping:
        hint = "such as matrix: {num_steps: [4, 8]}"
        return [matrix.problem(shown(matrix.plain()), "settings with a list of values each", hint)]
    problems = []
    for key, node in matrix.mapping.items():
        if not node.items:
            problems.append(node.problem(shown(node.plain()), "a list of values", f"such as {key}: [4, 8]"))
        elif len({_spelled(item) for item in node.items}) < len(node.items):
            problems.append(node.problem("a value for the second time", "each value once"))
        if key in (entry.mapping or {}):
            problems.append(entry.problem(f"{shown(key)} beside the matrix that sets it", "it in one place", key=key))
    if placeholders != set(matrix.mapping):
        holes = "".join(f"-{{{key}}}" for key in matrix.mapping)
        expected = "a name that holds each setting of the matrix in braces"
        hint = f"such as {name.split('{')[0].rstrip('-')}{holes}"
        problems.append(section.problem(shown(name), expected, hint, key=name))
    count = math.prod(len(node.items or []) for node in matrix.mapping.values())
    if count > MAX_ENTRIES:
        problems.append(matrix.problem(f"{count} combinations", f"at most {MAX_ENTRIES}"))
    return problems


def _spelled(node: Node) -> str:
    """A value as part of a name; ``repr`` keeps a float's digits."""
    value = node.plain()
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
