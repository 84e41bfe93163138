"""``include: other.yaml``: a suite takes over what another file says, and wins where both say something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evalsuite.errors import Problem, SuiteError
from evalsuite.suite.document import Node, read_document
from evalsuite.suite.wording import shown

MAX_FILES = 32
MERGED_BY_ENTRY = ("models", "targets", "sampling", "report")
"""Sections in which the two files' entries are united; all others are replaced whole."""


def read_with_includes(path: Path) -> tuple[Node, list[Problem]]:
    """The tree of a file with its includes merged in, and the mistakes of all files.

    Raises:
        SuiteError: a file has no tree; what it would define is unknown, so nothing else is looked at.
    """
    including = _Including()
    root, problems = including.read(path, ())
    if including.failed:
        raise SuiteError(problems)
    return root, problems


class _Including:
    def __init__(self) -> None:
        self.files = 0
        self.failed = False

    def read(self, path: Path, above: tuple[Path, ...]) -> tuple[Node, list[Problem]]:
        self.files += 1
        root, problems = read_document(path)
        if root.mapping is None:
            expected = "keys with values: suite, task, models and so on"
            raise SuiteError([*problems, root.problem(shown(root.plain()), expected)])
        if "include" not in root.mapping:
            return root, problems
        merged: Node | None = None
        for entry in self._entries(root.mapping["include"], problems):
            included = self._included(entry, (*above, path.resolve()), problems)
            merged = included if merged is None else over(merged, included) if included else merged
        own = root.without("include")
        return (own if merged is None else over(merged, own)), problems

    def _entries(self, node: Node, problems: list[Problem]) -> list[Node]:
        entries = node.items if node.items is not None else [node]
        wrong = [entry for entry in entries if not isinstance(entry.value, str)]
        problems += [e.problem(shown(e.plain()), "the path of a suite file, or a list of them") for e in wrong]
        self.failed |= bool(wrong)
        return [entry for entry in entries if isinstance(entry.value, str)]

    def _included(self, entry: Node, above: tuple[Path, ...], problems: list[Problem]) -> Node | None:
        target = Path(entry.place.file).parent / str(entry.value)
        hint = "the path is taken from the folder of the file that includes"
        if Path(str(entry.value)).is_absolute():
            problems.append(entry.problem(shown(entry.value), "a relative path", hint))
        elif target.resolve() in above:
            chain = " -> ".join(file.name for file in (*above, target.resolve()))
            problems.append(entry.problem(f"a circle of includes: {chain}", "files that do not include one another"))
        elif self.files >= MAX_FILES:
            problems.append(entry.problem(f"more than {MAX_FILES} included files", f"at most {MAX_FILES}"))
        elif not target.is_file():
            problems.append(entry.problem(f"no file {shown(str(target))}", "a suite file", hint))
        else:
            try:
                root, found = self.read(target, above)
            except SuiteError as error:
                problems += error.problems
            else:
                problems += found
                return root
        self.failed = True
        return None


def over(base: Node, node: Node) -> Node:
    """The mapping ``node`` laid over ``base``."""
    below, above = base.mapping or {}, node.mapping or {}
    merged = {**below, **above}
    for name in MERGED_BY_ENTRY:
        if name in below and name in above and below[name].mapping is not None and above[name].mapping is not None:
            merged[name] = _united(below[name], above[name])
    return replace(node, value=merged, keys={**base.keys, **node.keys})


def _united(base: Node, node: Node) -> Node:
    value = {**(base.mapping or {}), **(node.mapping or {})}
    return replace(node, value=value, keys={**base.keys, **node.keys})
