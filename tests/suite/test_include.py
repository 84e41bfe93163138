"""What a file takes over from those it includes, and where their problems are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.errors import SuiteError
from evalsuite.suite.include import MAX_FILES, read_with_includes
from evalsuite.suite.load import load_suite


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder / "main.yaml"


def test_the_including_file_wins_entry_by_entry(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        base="sampling: {num_samples: 10, seed: 3}\nmodels: {a: {x: 1, y: 1}, b: {x: 1}}\nmetrics: [fid, kid]\n",
        main="include: base.yaml\nsampling: {num_samples: 20}\nmodels: {a: {x: 2}, c: {x: 3}}\nmetrics: [ssim]\n",
    )
    root, problems = read_with_includes(main)
    assert problems == []
    assert root.plain() == {
        "sampling": {"num_samples": 20, "seed": 3},
        "models": {"a": {"x": 2}, "b": {"x": 1}, "c": {"x": 3}},
        "metrics": ["ssim"],
    }


def test_a_reference_is_replaced_whole(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        base="reference: {dataset: a, split: test}\n",
        main="include: base.yaml\nreference: {dataset: b}\n",
    )
    assert read_with_includes(main)[0].plain() == {"reference": {"dataset": "b"}}


def test_a_later_include_wins_over_an_earlier_one(tmp_path: Path) -> None:
    main = write(tmp_path, one="suite: one\ntask: t\n", two="suite: two\n", main="include: [one.yaml, two.yaml]\n")
    assert read_with_includes(main)[0].plain() == {"suite": "two", "task": "t"}


def test_included_files_may_include_from_their_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "outer.yaml").write_text("include: inner.yaml\n")
    (folder / "inner.yaml").write_text("suite: inner\n")
    main = write(tmp_path, main="include: parts/outer.yaml\n")
    assert read_with_includes(main)[0].plain() == {"suite": "inner"}


def test_one_file_may_be_included_on_two_ways(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        base="suite: base\n",
        one="include: base.yaml\ntask: one\n",
        two="include: base.yaml\n",
        main="include: [one.yaml, two.yaml]\n",
    )
    assert read_with_includes(main)[0].plain() == {"suite": "base", "task": "one"}


def test_a_tree_of_includes_that_doubles_at_each_level_ends(tmp_path: Path) -> None:
    files = {f"f{i}": f"include: [f{i + 1}.yaml, f{i + 1}.yaml]\n" for i in range(20)}
    with pytest.raises(SuiteError, match=f"more than {MAX_FILES} included files"):
        read_with_includes(write(tmp_path, **files, f20="suite: leaf\n", main="include: f0.yaml\n"))


def test_problems_of_both_files_are_told_each_at_its_place(tmp_path: Path) -> None:
    main = write(tmp_path, base="sampling: {num_samples: 0}\n", main="include: base.yaml\ntask: nonsense\n")
    with pytest.raises(SuiteError) as caught:
        load_suite(main)
    places = [(Path(p.file).name, p.line, p.where) for p in caught.value.problems]
    assert ("main.yaml", 2, "task") in places
    assert ("base.yaml", 1, "sampling.num_samples") in places
