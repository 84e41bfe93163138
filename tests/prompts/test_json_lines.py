"""JSON Lines: which keys are columns, and which lines are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalsuite.errors import Failed
from evalsuite.prompts.json_lines import JsonLines


def saved(folder: Path, *lines: Any, **settings: Any) -> JsonLines:
    path = folder / "prompts.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return JsonLines(path=path, **settings)


def test_texts_and_lists_of_texts_are_columns(tmp_path: Path) -> None:
    prompts = saved(
        tmp_path,
        {"prompt": "a", "challenge": ["counting", "colour"], "level": "hard"},
        {"prompt": "b", "challenge": "style", "level": None},
        {"prompt": "c", "challenge": []},
    )
    assert prompts.attributes() == {
        "challenge": (("counting", "colour"), ("style",), ()),
        "level": (("hard",), (), ()),
    }


def test_values_are_tidied(tmp_path: Path) -> None:
    prompts = saved(tmp_path, {"prompt": "a", "note": [" two\n words ", "two words", ""], "empty": " "})
    assert prompts.attributes() == {"note": (("two words",),)}


def test_other_kinds_of_values_are_left_out(tmp_path: Path) -> None:
    prompts = saved(
        tmp_path, {"prompt": "a", "id": 7, "ok": True, "size": [1, 2], "more": {"x": "y"}, "mixed": ["a", 1]}
    )
    assert prompts.attributes() == {}


def test_the_key_of_the_prompt_can_be_another(tmp_path: Path) -> None:
    prompts = saved(tmp_path, {"caption": "a", "prompt": "system"}, prompt="caption")
    assert prompts.texts() == ("a",)
    assert prompts.attributes() == {"prompt": (("system",),)}


def test_attributes_count_in_the_fingerprint(tmp_path: Path) -> None:
    prints = {
        saved(tmp_path, line, {"prompt": "b"}).fingerprint()
        for line in (
            {"prompt": "a"},
            {"prompt": "a", "k": "x"},
            {"prompt": "a", "k": ["x", "y"]},
            {"prompt": "a", "l": "x"},
        )
    }
    assert len(prints) == 4


def test_keys_in_any_order_are_the_same_content(tmp_path: Path) -> None:
    one = saved(tmp_path, {"prompt": "a", "k": "x", "l": "y"}).fingerprint()
    assert saved(tmp_path, '{"l": ["y"], "n": 1, "k": "x", "prompt": "a"}').fingerprint() == one


REFUSED = {
    "no JSON": ("A cat.", "found no JSON (Expecting value), expected one object a line"),
    "cut short": ('{"prompt": "A c', "found no JSON (Unterminated string starting at), expected one object a line"),
    "a list": (["A cat."], "found a JSON list, expected an object such as"),
    "a text": ('"A cat."', "found a JSON str, expected an object such as"),
    "no prompt": ({"prompts": "A cat."}, "found no prompt, expected a key 'prompt' (did you mean 'prompts'?)"),
    "a number": ({"prompt": 7}, "found 7 in key 'prompt', expected a text"),
    "null": ({"prompt": None}, "found null in key 'prompt', expected a text"),
    "empty": ({"prompt": "  "}, "found an empty prompt, expected a text (leave the line out)"),
    "a key twice": ('{"prompt": "a", "prompt": "b"}', "found no JSON (a key is there twice), expected one object"),
    "deep": ("[" * 100_000, "found no JSON (maximum recursion depth"),
    "digits": ('{"prompt": "a", "n": ' + "1" * 5_000 + "}", "found no JSON (Exceeds the limit"),
    "half a pair": ('{"prompt": "a\\ud800"}', "found the control character U+D800, expected text in a single line"),
    "key": ('{"prompt": "a", "\\u0000": "b"}', "found in the name of a column the control character U+0000"),
    "value": ('{"prompt": "a", "k": "\\u0000"}', "found in column 'k' the control character U+0000"),
    "another kind": ({"prompt": "a", "level": 3}, "found something else in key 'level', expected texts, as in line 1"),
    "another kind, first a number": (
        {"prompt": "a", "id": "x"},
        "found texts in key 'id', expected something else, as in",
    ),
}


@pytest.mark.parametrize(("line", "message"), REFUSED.values(), ids=REFUSED)
def test_lines_that_are_refused(tmp_path: Path, line: Any, message: str) -> None:
    prompts = saved(tmp_path, {"prompt": "first", "level": "easy", "id": 1}, line)
    with pytest.raises(Failed) as refused:
        prompts.texts()
    assert str(refused.value).startswith(f"{prompts.path}:2: {message}")
