"""``evalsuite bisect`` as a user calls it: over the settings between two suites, and over commits."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Command

SUITE = """\
suite: tiny
task: class_conditional
reference: {dataset: fashion-mnist, split: test}
sampling: {num_samples: 40, seed: 0}
models:
  teacher: {role: teacher, adapter: python, callable: "models.py:good", version: "1"}
  student: {role: student, adapter: python, callable: "models.py:good", version: "1"}
targets: {cpu: {device: cpu, threads: 1, batch_size: 20}}
metrics: [{kid: {extractor: pixels}}]
"""
MODELS = """\
import numpy as np

SHIFT = 0


def good(seeds, labels):
    pixels = [np.random.default_rng(seed).integers(0, 200, (1, 28, 28), dtype=np.uint8) for seed in seeds]
    return np.stack(pixels)


def bright(seeds, labels):
    return good(seeds, labels) + np.uint8(40)


def shifted(seeds, labels):
    return good(seeds, labels) + np.uint8(SHIFT)
"""
ASKED = ("--metric", "kid", "--model", "student", "--allow-code")


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_names_the_setting_that_moves_the_metric(evalsuite: Command, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "good.yaml").write_text(SUITE)
    bad = SUITE.replace('student, adapter: python, callable: "models.py:good", version: "1"',
                        'student, adapter: python, callable: "models.py:bright", version: "2"')  # fmt: skip
    (tmp_path / "bad.yaml").write_text(bad.replace("batch_size: 20", "batch_size: 10"))
    done = evalsuite("bisect", "good.yaml", "bad.yaml", *ASKED)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("The first that moves kid of student@cpu: models.student.callable: ")
    assert "moved: " in done.stdout
    assert "p < 0.0001" in done.stdout


def test_names_the_commit_that_moves_the_metric_and_steps_over_broken_ones(evalsuite: Command, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    student = 'student, adapter: python, callable: "models.py:{}"'
    (tmp_path / "suite.yaml").write_text(SUITE.replace(student.format("good"), student.format("shifted")))
    shifts = {"begin": "0", "words": "0 ", "brighter": "40", "broken": "(", "more words": "40  "}
    for subject, shift in shifts.items():
        (tmp_path / "models.py").write_text(MODELS.replace("SHIFT = 0", f"SHIFT = {shift}"))
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", subject)
    done = evalsuite("bisect", "suite.yaml", *ASKED, "--good", "HEAD~4", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["first"].endswith(" brighter")
    assert git(tmp_path, "worktree", "list").count("\n") == 0
    assert git(tmp_path, "status", "--short", "--untracked-files=no") == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["good.yaml", *ASKED], "expected a second suite, or --good COMMIT"),
        (["good.yaml", "good.yaml", *ASKED], "do not differ in anything that concerns kid of student@cpu"),
        (["good.yaml", "good.yaml"], "expected --metric and --model"),
        (["good.yaml", *ASKED, "--good", "HEAD"], "not a git repository"),
    ],
)
def test_what_makes_no_sense_is_told(evalsuite: Command, tmp_path: Path, words: list[str], sentence: str) -> None:
    (tmp_path / "good.yaml").write_text(SUITE)
    done = evalsuite("bisect", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
