"""Tables: quoting, several values in a field, and which tables are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.errors import Failed
from evalsuite.prompts.csv_file import CsvFile


def saved(folder: Path, content: str, name: str = "prompts.csv", prompt: str = "prompt") -> CsvFile:
    path = folder / name
    path.write_bytes(content.encode())
    return CsvFile(path=path, prompt=prompt)


def test_every_other_column_is_one_of_attributes(tmp_path: Path) -> None:
    prompts = saved(tmp_path, 'id,prompt, challenge\n1,"A cat, asleep",counting; colour\n2,"A ""b""",\n')
    assert prompts.texts() == ("A cat, asleep", 'A "b"')
    assert prompts.attributes() == {"id": (("1",), ("2",)), "challenge": (("counting", "colour"), ())}


def test_a_column_without_values_is_none(tmp_path: Path) -> None:
    assert saved(tmp_path, "prompt,note\na,\nb,;\n").attributes() == {}


def test_the_column_of_prompts_can_be_another(tmp_path: Path) -> None:
    assert saved(tmp_path, "Caption\na\n", prompt="Caption").texts() == ("a",)


def test_tabs_separate_in_tsv_files(tmp_path: Path) -> None:
    prompts = saved(tmp_path, "prompt\tkind\na, b\tx\n", "prompts.TSV")
    assert prompts.texts() == ("a, b",)
    assert prompts.attributes() == {"kind": (("x",),)}


def test_values_over_two_lines_count_as_one(tmp_path: Path) -> None:
    assert saved(tmp_path, 'prompt,note\na,"two\nlines"\n').attributes() == {"note": (("two lines",),)}


REFUSED = {
    "no such column": (
        "promt\na\n",
        ":1: found the columns promt, expected a column 'prompt' in the first line (did you",
    ),
    "no header": (
        "A cat.,A dog.\n",
        ":1: found the columns A cat., A dog., expected a column 'prompt' in the first line",
    ),
    "semicolons": ("prompt;kind\na;b\n", ":1: found the columns prompt;kind, expected a column 'prompt'"),
    "no rows": ("prompt,kind\n", ": found no prompt, expected at least one"),
    "two columns of one name": ("prompt,k,k\na,b,c\n", ":1: found 2 columns 'k', expected a name of its own for each"),
    "no name": ("prompt,\na,b\n", ":1: found a column without a name, expected a name of its own for each column"),
    "too short": ("prompt,kind\na,x\nb\n", ":3: found a row of 1, expected 2 fields, as in the header"),
    "too long": (
        "prompt,kind\na,x,y\n",
        ":2: found a row of 3, expected 2 fields, as in the header (put fields with commas in",
    ),
    "an empty prompt": ("prompt,kind\n,x\n", ":2: found an empty prompt, expected a text"),
    "a line end in a prompt": ('prompt\n"a\nb"\n', ":3: found the control character U+000A, expected text in a single"),
    "an open quote": (
        'prompt\n"a\n',
        ":2: found a broken record (unexpected end of data), expected a table with commas",
    ),
    "a quote inside": ('prompt\n"a"b\n', ":2: found a broken record ("),
    "a field without end": (
        f'prompt\n"{"a" * 60_000}\n{"b" * 80_000}"\n',
        ":3: found a broken record (field larger than",
    ),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_tables_that_are_refused(tmp_path: Path, content: str, message: str) -> None:
    prompts = saved(tmp_path, content)
    with pytest.raises(Failed) as refused:
        prompts.texts()
    assert str(refused.value).startswith(f"{prompts.path}{message}")
