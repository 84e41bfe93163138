"""Reading YAML: what a scalar means, where everything stands, and that hostile files end early."""

from __future__ import annotations

import contextlib
import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalsuite.errors import SuiteError
from evalsuite.suite import document
from evalsuite.suite.document import Node, read_document

SYNTAX = st.text("{}[]:,-?&*!|>'\"%@` \n\tab1<", max_size=80)


def read(tmp_path: Path, text: str | bytes) -> Node:
    path = tmp_path / "suite.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    root, problems = read_document(path)
    assert problems == []
    return root


def refusal(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "suite.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SuiteError) as caught:
        read_document(path)
    return str(caught.value).removeprefix(str(path))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("12", 12),
        ("-3", -3),
        ("+7", 7),
        ("007", 7),
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("2E8", 2e8),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("12:30", "12:30"),
        ("2024-05-01", "2024-05-01"),
        ("5%", "5%"),
        ("600 MB", "600 MB"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("1.2.3", "1.2.3"),
        ("e5", "e5"),
        (".", "."),
        ("-", [None]),
        ("=", "="),
    ],
)
def test_scalars_mean_what_a_person_thinks(tmp_path: Path, written: str, meant: Any) -> None:
    plain = read(tmp_path, f"a:\n  {written}\n").plain()["a"]
    assert plain == meant
    assert type(plain) is type(meant)


def test_every_value_knows_its_place_and_its_path(tmp_path: Path) -> None:
    root = read(tmp_path, "models:\n  teacher: {role: teacher}\nmetrics:\n  - fid\n  - kid\n")
    role = (root.mapping or {})["models"].plain()
    assert role == {"teacher": {"role": "teacher"}}
    kid = ((root.mapping or {})["metrics"].items or [])[1]
    assert (kid.place.line, kid.place.column, kid.path) == (5, 5, "metrics[1]")
    assert root.keys["metrics"].line == 3


def test_merge_keys_yield_to_own_keys_and_the_first_source_wins(tmp_path: Path) -> None:
    root = read(tmp_path, "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\n")
    assert root.plain()["c"] == {"x": 1, "y": 3, "z": 2}


def test_an_alias_stands_where_it_was_written(tmp_path: Path) -> None:
    root = read(tmp_path, "a: &a {x: 1}\nb: *a\n")
    assert (root.mapping or {})["b"].mapping == (root.mapping or {})["b"].mapping
    assert (root.mapping or {})["b"].path == "b"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfsuite: a\r\ntask: b\r\n").plain() == {"suite": "a", "task": "b"}


def test_a_huge_file_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    found = refusal(tmp_path, "x: 1\n" * (document.MAX_BYTES // 4))
    assert found == ": found more than 256 KiB, expected at most 256 KiB (is it a suite?)"


def test_many_values_are_refused(tmp_path: Path) -> None:
    assert "found more than 20000 values" in refusal(tmp_path, "a: [" + "1, " * 30_000 + "1]\n")


def test_an_alias_bomb_ends_quickly(tmp_path: Path) -> None:
    names = "abcdefghijklmnop"
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{n}: &{n} [{', '.join(['*' + p] * 10)}]" for p, n in itertools.pairwise(names)]
    start = time.perf_counter()
    assert "aliases that refer to aliases multiply" in refusal(tmp_path, "\n".join(lines))
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "? " * 5000])
def test_deep_nesting_is_refused_before_the_stack_ends(tmp_path: Path, text: str) -> None:
    assert "at most 24 levels of nesting" in refusal(tmp_path, text)


def test_a_huge_integer_is_refused_and_not_converted(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text("a: " + "9" * 5000)
    _, problems = read_document(path)
    assert [problem.expected for problem in problems] == ["a value of that type"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="found a folder, expected a suite file"):
        read_document(tmp_path)
    with pytest.raises(SuiteError, match="found no such file, expected a suite file"):
        read_document(tmp_path / "nowhere.yaml")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.text(max_size=80).map(str.encode), st.binary(max_size=80), SYNTAX.map(str.encode)))
def test_no_content_ends_in_another_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes(content)
    with contextlib.suppress(SuiteError):
        read_document(path)[0].plain()
