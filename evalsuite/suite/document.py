"""YAML text -> a tree that knows where everything stands: safe, capped, as many mistakes at once as there are.

Scalars follow the core schema of YAML 1.2 with decimal numbers only: ``true`` and ``false`` are the only booleans
(``yes`` and ``on`` are text), ``1e-3`` is a number, dates and ``1_000`` and ``0x10`` are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from evalsuite.errors import Problem, SuiteError
from evalsuite.suite.wording import shown

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
MAX_VALUES = 20_000
"""Of one file, with aliases expanded."""

_TAG = "tag:yaml.org,2002:"
_NULL, _BOOL, _INT, _FLOAT, _STR = (_TAG + name for name in ("null", "bool", "int", "float", "str"))
_MERGE, _MAP, _SEQ = (_TAG + name for name in ("merge", "map", "seq"))


@dataclass(frozen=True)
class Place:
    """Where something stands: ``file`` as the user gave it, ``line`` and ``column`` from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True)
class Node:
    """A value of the file.

    Attributes:
        value: a scalar, a list of nodes, or nodes by key.
        place: where it begins.
        path: keys that lead to it, as ``models.teacher.num_steps``.
        keys: for a mapping, where each key stands.
    """

    value: str | int | float | bool | list[Node] | dict[str, Node] | None
    place: Place
    path: str = ""
    keys: dict[str, Place] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Any, place: Place, path: str = "") -> Node:
        """The tree of plain values that stand in no file of their own; all are at one place."""
        if isinstance(content, Mapping):
            children = {str(key): cls.of(value, place, joined(path, str(key))) for key, value in content.items()}
            return cls(children, place, path, dict.fromkeys(children, place))
        if isinstance(content, list | tuple):
            return cls([cls.of(value, place, f"{path}[{i}]") for i, value in enumerate(content)], place, path)
        return cls(content, place, path)

    @property
    def mapping(self) -> dict[str, Node] | None:
        return self.value if isinstance(self.value, dict) else None

    @property
    def items(self) -> list[Node] | None:
        return self.value if isinstance(self.value, list) else None

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value

    def only(self, keys: Iterable[str]) -> Node:
        """A mapping's part with these keys."""
        kept = set(keys)
        return replace(self, value={key: node for key, node in (self.mapping or {}).items() if key in kept})

    def without(self, *keys: str) -> Node:
        """A mapping's part without these keys."""
        return self.only(set(self.mapping or {}) - set(keys))

    def problem(self, found: str, expected: str, hint: str = "", key: str | None = None) -> Problem:
        """A mistake here, or in the key of that name."""
        place = self.place if key is None else self.keys.get(key, self.place)
        path = self.path if key is None else joined(self.path, key)
        return Problem(place.file, place.line, place.column, path, found, expected, hint)


def joined(path: str, key: str) -> str:
    """The path one key deeper; a key that is no plain word is quoted, so that it cannot pose as another path."""
    word = key if re.fullmatch(r"[\w{}@*+-]+", key) else shown(key)
    return f"{path}.{word}" if path else word


def read_document(path: Path) -> tuple[Node, list[Problem]]:
    """The tree of a file, and the mistakes that leave a tree (duplicate keys, foreign tags, NaN).

    Raises:
        SuiteError: there is no tree: the file cannot be read, is no YAML, or exceeds a cap.
    """
    file = str(path)
    text = _read_text(path)
    try:
        root = _Loader(text, file).get_single_node()
    except yaml.YAMLError as error:
        raise SuiteError([_yaml_problem(file, text, error)]) from error
    if root is None:
        raise _unusable(path, "an empty file", "a suite", "evalsuite init writes one to start from")
    reader = _TreeReader(file)
    return reader.read(root, ""), reader.problems


def _read_text(path: Path) -> str:
    """Text of a file; its size is looked at before it is read."""
    expected = "a suite file"
    try:
        if not path.is_file():
            found = "a folder" if path.is_dir() else "something that is no file" if path.exists() else "no such file"
            raise _unusable(path, found, expected)
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unusable(path, f"a file that cannot be read ({error.strerror})", expected) from error
    if len(content) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1024} KiB"
        raise _unusable(path, f"more than {limit}", f"at most {limit}", "is it a suite?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _line_and_column(content[: error.start].decode("utf-8", "replace"))
        found, hint = f"byte 0x{content[error.start]:02x}, which is not UTF-8", "save the file with the encoding UTF-8"
        raise SuiteError([Problem(str(path), line, column, "", found, "UTF-8 text", hint)]) from error


def _unusable(path: Path, found: str, expected: str, hint: str = "") -> SuiteError:
    return SuiteError([Problem(str(path), 0, 0, "", found, expected, hint)])


def _line_and_column(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class _Loader(yaml.SafeLoader):
    """Composes nodes, and stops before nesting exhausts the stack."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own attribute: none of its YAML 1.1 rules)

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self.file, self.depth = file, 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            found, expected = f"more than {MAX_DEPTH} levels", f"at most {MAX_DEPTH} levels of nesting"
            raise SuiteError([Problem(self.file, mark.line + 1, mark.column + 1, "", found, expected)])
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(tag, re.compile(rf"^(?:{pattern})$"), [*first] or [""])


_resolve(_NULL, r"~|null|Null|NULL|", "~nN")
_Loader.add_implicit_resolver(_NULL, re.compile("^$"), [""])
_resolve(_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF")
_resolve(_INT, r"[-+]?[0-9]+", "-+0123456789")
_resolve(_FLOAT, r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789")
_resolve(_FLOAT, r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+.")
_resolve(_MERGE, r"<<", "<")


class _TreeReader:
    """Turns PyYAML's nodes into ours: anchors and merge keys resolved, duplicates and foreign tags noted."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.values = 0
        self.open: set[int] = set()

    def read(self, node: yaml.Node, path: str) -> Node:
        place = self.place(node)
        self.values += 1
        if self.values > MAX_VALUES:
            found, hint = f"more than {MAX_VALUES} values", "aliases that refer to aliases multiply"
            raise SuiteError([Problem(self.file, place.line, place.column, path, found, f"at most {MAX_VALUES}", hint)])
        if id(node) in self.open:
            found, expected = "an alias inside its own anchor", "an alias of something that is complete"
            raise SuiteError([Problem(self.file, place.line, place.column, path, found, expected)])
        self.open.add(id(node))
        result = self._read(node, place, path)
        self.open.discard(id(node))
        return result

    def _read(self, node: yaml.Node, place: Place, path: str) -> Node:
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
            value, keys = self._mapping(node, path)
            return Node(value, place, path, keys)
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQ:
            return Node([self.read(child, f"{path}[{i}]") for i, child in enumerate(node.value)], place, path)
        if isinstance(node, yaml.ScalarNode):
            return Node(self._scalar(node, place, path), place, path)
        self._foreign_tag(node, place, path)
        return Node(None, place, path)

    def _mapping(self, node: yaml.MappingNode, path: str) -> tuple[dict[str, Node], dict[str, Place]]:
        own: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged += self._merged(value_node, path)
                continue
            key, place = self._key(key_node, path), self.place(key_node)
            if key is None:
                continue
            if key in keys:
                hint = f"it stands in line {keys[key].line} already"
                self._note(place, joined(path, key), f"key {shown(key)} for the second time", "each key once", hint)
                continue
            own[key], keys[key] = self.read(value_node, joined(path, key)), place
        for source in merged:
            keys = {**source.keys, **keys}
            own = {**(source.mapping or {}), **own}
        return own, keys

    def _key(self, node: yaml.Node, path: str) -> str | None:
        place = self.place(node)
        if isinstance(node, yaml.ScalarNode) and node.tag == _STR:
            return str(node.value)
        if isinstance(node, yaml.ScalarNode):
            value = self._scalar(node, place, path)
            hint = f'in quotes it is text: "{node.value}"' if node.value else "is something missing before the colon?"
            self._note(place, path, f"{shown(value)} as a key", "text", hint)
        else:
            kind = "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
            self._note(place, path, f"{kind} as a key", "text", "quote it if the braces or brackets belong to the name")
        return None

    def _merged(self, node: yaml.Node, path: str) -> list[Node]:
        """Sources of a merge key ``<<``, the strongest first."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found = [self.read(source, path) for source in sources]
        for source in found:
            if source.mapping is None:
                self._note(source.place, joined(path, "<<"), shown(source.plain()), "a mapping, as in <<: *anchor")
        return [source for source in found if source.mapping is not None]

    def _scalar(self, node: yaml.ScalarNode, place: Place, path: str) -> str | int | float | bool | None:
        text: str = node.value
        try:
            if node.tag == _NULL:
                return None
            if node.tag == _BOOL:
                return {"true": True, "false": False}[text.lower()]
            if node.tag == _INT:
                return int(text)
            if node.tag == _FLOAT:
                return self._finite(float(text.replace(".inf", "inf").replace(".nan", "nan")), node, path)
        except (ValueError, KeyError):
            found = f"{shown(text)} as {node.tag.removeprefix(_TAG)}"
            self._note(place, path, found, "a value of that type", "leave the tag out")
            return None
        if node.tag != _STR:
            self._foreign_tag(node, place, path)
            return None
        return text

    def _finite(self, value: float, node: yaml.ScalarNode, path: str) -> float:
        if not math.isfinite(value):
            self._note(self.place(node), path, str(node.value), "a finite number")
            return 0.0
        return value

    def _foreign_tag(self, node: yaml.Node, place: Place, path: str) -> None:
        tag = node.tag.replace(_TAG, "!!", 1)
        hint = "a suite holds only text, numbers, true and false, lists and mappings"
        self._note(place, path, f"the tag {shown(tag)}", "plain YAML", hint)

    def _note(self, place: Place, path: str, found: str, expected: str, hint: str = "") -> None:
        self.problems.append(Problem(place.file, place.line, place.column, path, found, expected, hint))

    def place(self, node: yaml.Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)


def _yaml_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    """PyYAML's complaint in our words."""
    if isinstance(error, yaml.reader.ReaderError):
        line, column = _line_and_column(text[: error.position])
        character = chr(error.character) if isinstance(error.character, int) else str(error.character)
        found = f"the control character {shown(character)}"
        return Problem(file, line, column, "", found, "printable text", "delete it, or write it as an escape in quotes")
    complaint, context = str(getattr(error, "problem", error)), str(getattr(error, "context", None) or "")
    mark = getattr(error, "problem_mark", None)
    if mark is None or "end of stream" in complaint:
        mark = getattr(error, "context_mark", None) or mark  # what is not closed says more than where the file ends
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    found, expected, hint = _yaml_words(complaint, context)
    return Problem(file, line, column, "", found, expected, hint)


def _yaml_words(problem: str, context: str) -> tuple[str, str, str]:
    if "'\\t'" in problem:
        return "a tab", "spaces", "YAML is indented with spaces only"
    if "mapping values are not allowed" in problem:
        hint = "quote text that holds a colon; check the indentation"
        return "a second colon, or one where no key can stand", "key: value", hint
    if "expected a single document" in context or "single document" in problem:
        return "a second document after ---", "one document", "put the other suite in a file of its own"
    if "unexpected end of stream" in problem:
        return "a quote that is never closed", "a closing quote", ""
    if "expected <block end>" in problem:
        return (
            "a line that does not fit the block it stands in",
            "entries of a block in one column",
            "check the indentation",
        )
    if "undefined alias" in problem:
        return problem.removeprefix("found "), "an anchor of that name above it", "mark what is meant with &name"
    if found := re.search(r"expected (.+?),? but (?:found|got) (.+)", problem):
        return found[2], found[1], f"{context}; check indentation, quotes and brackets".lstrip("; ")
    return "text that is not YAML", "YAML", f"{context} {problem}; check indentation, quotes and brackets".strip()
