"""Commands on a run whose suite is none that this evalsuite knows: its numbers are there, what they mean is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.inside import command_inside
from tests.compare.inputs import of_samples
from tests.conftest import Command
from tests.history.runs import run_of

VALUES = np.random.default_rng(0).normal(20, 3, 200)
FOUND = "evalsuite: run/record.json: suite.sampling: found no key 'num_samples', expected num_samples: a whole number"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a run of that kind, and another that is well."""
    run = run_of(of_samples(VALUES), of_samples(VALUES + 1, model="other"))
    run.save(tmp_path / "well")
    run.model_copy(update={"suite": run.suite | {"sampling": {"count": 100}}}).save(tmp_path / "run")
    return tmp_path


@pytest.fixture
def inside(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return command_inside(folder, capsys, monkeypatch)


def test_a_history_takes_none_of_the_runs(evalsuite: Command, folder: Path) -> None:
    done = evalsuite("history", "add", "well", "run")
    assert done.returncode == 2
    assert FOUND in done.stderr
    assert "run the suite again" in done.stderr
    assert "defect" not in done.stderr
    assert not (folder / "history.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate", "run"),
        ("report", "run"),
        ("compare", "run"),
        ("compare", "well", "run"),
        ("baseline", "save", "run"),
    ],
    ids=" ".join,
)
def test_it_is_refused_where_the_suite_is_followed(inside: Command, folder: Path, arguments: tuple[str, ...]) -> None:
    done = inside(*arguments)
    assert done.returncode == 2
    assert FOUND in done.stderr
    assert {path.name for path in folder.iterdir()} == {"well", "run"}


def test_a_leaderboard_needs_the_numbers_alone(inside: Command) -> None:
    done = inside("leaderboard", "well", "run", "--out", "site")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("board 1: 2 entries, best other\n")
