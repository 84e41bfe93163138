"""Every file in ``bad/`` is refused with the problems its first lines (or the file beside it) say, in words for people.

A line ``# problem: 4:3: models.x: found ..., expected ...`` is one problem without the file's name; one that ends in
``...`` is compared up to there, where the rest lists what happens to be installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.errors import SuiteError
from evalsuite.suite.load import load_suite

BAD = Path(__file__).parent / "bad"
FILES = sorted(BAD.glob("*.yaml"))


def expected_problems(path: Path) -> list[str]:
    beside = path.with_suffix(".expected")
    if beside.exists():
        return beside.read_text("utf-8").splitlines()
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    return [line.removeprefix("# problem: ") for line in lines if line.startswith("# problem: ")]


def matches(found: str, expected: str) -> bool:
    return found.startswith(expected[:-3]) if expected.endswith("...") else found == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bad_suite_is_refused_with_its_problems(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(SuiteError) as caught:
        load_suite(path.name)
    found = [
        str(problem).removeprefix(path.name).removeprefix(":").removeprefix(" ") for problem in caught.value.problems
    ]
    expected = expected_problems(path)
    assert expected, "the file says nothing of the problem it has"
    assert len(found) == len(expected), "\n".join(found)
    for line, wanted in zip(found, expected, strict=True):
        assert matches(line, wanted), f"\nfound    {line}\nexpected {wanted}"


def test_the_corpus_is_large() -> None:
    assert len(FILES) >= 100


def test_what_the_corpus_includes_is_right_by_itself() -> None:
    load_suite(BAD / "included" / "complete.yaml")


def test_a_problem_is_one_line_without_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    for path in FILES:
        with pytest.raises(SuiteError) as caught:
            load_suite(path.name)
        assert all(str(problem).isprintable() for problem in caught.value.problems), path.name
        assert caught.value.exit_code == 2
