"""A file with one JSON object a line: a prompt and what it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from evalsuite.errors import nearest
from evalsuite.prompts._file import PromptFile, Row, fault, lines


class JsonLines(PromptFile):
    """One JSON object a line, in UTF-8; empty lines are left out.

    Every other key whose value is a text or a list of texts is a column of attributes; null is no value. Keys with
    numbers, truth values or objects are left out.

    Attributes:
        prompt: the key of the prompt.
    """

    source: str = "a local JSON Lines file"

    prompt: str = "prompt"

    def rows(self) -> Iterator[Row]:
        """The objects.

        Raises:
            Failed: a line is no object, or has no prompt; a key holds texts in one line and something else in another.
        """
        other: dict[str, tuple[int, bool]] = {}
        for number, line in lines(self.path):
            if not line.strip():
                continue
            content = self._object(number, line)
            text = self._text(number, content)
            for key, value in content.items():
                if value is None or value == []:
                    continue
                first, is_text = other.setdefault(key, (number, _is_texts(value)))
                if is_text != _is_texts(value):
                    kinds = ("texts", "something else")
                    found, earlier = kinds if not is_text else kinds[::-1]
                    raise fault(self.path, number, f"{found} in key {key!r}", f"{earlier}, as in line {first}")
            values = {key: _as_list(value) for key, value in content.items() if _is_texts(value)}
            yield Row(number, text, values)

    def _object(self, number: int, line: str) -> dict[str, Any]:
        try:
            content = json.loads(line.strip(), object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            raise fault(self.path, number, f"no JSON ({getattr(error, 'msg', error)})", "one object a line") from error
        if not isinstance(content, dict):
            raise fault(self.path, number, f"a JSON {type(content).__name__}", 'an object such as {"prompt": "a cat"}')
        return content

    def _text(self, number: int, content: dict[str, Any]) -> str:
        if self.prompt not in content:
            raise fault(self.path, number, "no prompt", f"a key {self.prompt!r}", nearest(self.prompt, content))
        text = content.pop(self.prompt)
        if not isinstance(text, str):
            raise fault(self.path, number, f"{json.dumps(text)[:40]} in key {self.prompt!r}", "a text")
        return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key is there twice")
    return content


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
