"""``evalsuite history``: the real command on runs whose drift is known."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evalsuite.history.points import points_of
from evalsuite.history.store import History
from tests.cli.inside import command_inside
from tests.conftest import Command
from tests.history.runs import commit, filled, latency, psnr, run_of
from tests.pipeline.test_commit import git

NOISE = np.random.default_rng(5).normal(0, 0.05, 40)


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return command_inside(tmp_path, capsys, monkeypatch)


@pytest.fixture
def stepped(tmp_path: Path) -> Path:
    """Twenty commits; psnr falls by 2 dB at the twelfth."""
    filled(tmp_path / "history.db", np.repeat([20.0, 18.0], (11, 9)) + NOISE[:20])
    return tmp_path


def test_add_show_and_add_again(evalsuite: Command, tmp_path: Path) -> None:
    for number in (1, 2):
        run_of(psnr(20.0 + number), latency(0.1), number=number).save(tmp_path / f"run-{number}")
    first = evalsuite("history", "add", "run-1", "run-2")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == ["run-1: commit 00010000: 2 values", "run-2: commit 00020000: 2 values"]
    assert evalsuite("history", "add", "run-2").stdout == "run-2: commit 00020000: is there already\n"
    shown = evalsuite("history", "show")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == ["latency_p50 (ms)", "psnr (dB)"]
    rows = [line.split() for line in lines if line.strip().startswith("000")]
    assert [row[:2] for row in rows] == [["00020000", "2024-01-03"], ["00010000", "2024-01-02"]] * 2


def test_the_commit_is_that_of_the_repository(inside: Command, tmp_path: Path) -> None:
    """Where neither the run nor the user says it."""
    run = run_of(psnr(20.0))
    run.provenance.pop("code")
    run.save(tmp_path / "run")
    none = inside("history", "add", "run")
    assert none.returncode == 2
    assert "noted no commit" in none.stderr
    assert not (tmp_path / "history.db").exists()
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(tmp_path, "tag", "v1")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert f"commit {head[:8]}: 1 values" in inside("history", "add", "run").stdout
    assert inside("history", "add", "run", "--commit", "v1").stdout.endswith("is there already\n")
    other = inside("history", "add", "run", "--commit", "another")
    assert other.returncode == 2
    assert f"already, under commit {head}" in other.stderr


def test_changes_that_nobody_committed_are_told(inside: Command, tmp_path: Path) -> None:
    run = run_of(psnr(20.0))
    run.provenance["code"]["dirty"] = True
    run.save(tmp_path / "run")
    done = inside("history", "add", "run")
    assert (done.returncode, done.stderr) == (
        0,
        "evalsuite: run: the code had changes that are not in commit 00000000\n",
    )


def test_json_and_csv(inside: Command, stepped: Path) -> None:
    (series,) = json.loads(inside("history", "show", "--last", "3", "--format", "json").stdout)["series"]
    assert {key: series[key] for key in ("metric", "model", "target", "slice", "unit", "higher_is_better")} == {
        "metric": "psnr", "model": "student", "target": "cpu", "slice": "all", "unit": "dB", "higher_is_better": True,
    }  # fmt: skip
    assert [point["commit"] for point in series["points"]] == [commit(number).sha for number in (17, 18, 19)]
    rows = list(csv.DictReader(io.StringIO(inside("history", "show", "--format", "csv", "--last", "3").stdout)))
    assert [float(row["value"]) for row in rows] == [point["value"] for point in series["points"]]
    assert all(float(row["low"]) < float(row["value"]) < float(row["high"]) for row in rows)


def test_a_picture(inside: Command, stepped: Path) -> None:
    done = inside("history", "show", "--format", "png", "--out", "psnr.png")
    assert (done.returncode, done.stdout) == (0, "psnr.png\n"), done.stderr
    with Image.open(stepped / "psnr.png") as picture:
        assert picture.width > 1000
    assert inside("history", "show", "--out", "psnr.txt").returncode == 2


def test_a_change_of_protocol_is_told(inside: Command, stepped: Path) -> None:
    run = run_of(psnr(5.0, protocol={"data_range": 1}), number=30)
    History(str(stepped / "history.db")).add(points_of(run))
    done = inside("history", "show")
    assert "protocol 1" in done.stdout and "protocol 2" in done.stdout
    assert "from commit 001e0000 on data_range is 1, before none" in done.stderr
    assert inside("history", "drift").stdout.count("psnr") == 1


class TestDrift:
    def test_a_step(self, inside: Command, stepped: Path) -> None:
        done = inside("history", "drift")
        assert done.returncode == 0, done.stderr
        first, second, last = done.stdout.splitlines()
        assert first.startswith("worse    psnr of student@cpu/all: 19.48 dB -> 17.46 dB, -10 %")
        assert second.strip().startswith("at 000b0000, after 000a0000; p")
        assert last == "1 series looked at, any false alarm with a chance of 0.01"

    def test_the_exit_code_when_asked(self, evalsuite: Command, stepped: Path) -> None:
        done = evalsuite("history", "drift", "--fail", "--format", "json")
        assert done.returncode == 1
        (change,) = json.loads(done.stdout)["changes"]
        assert (change["kind"], change["verdict"]) == ("step", "worse")
        assert (change["last_good"], change["first_bad"]) == (commit(10).sha, commit(11).sha)
        assert evalsuite("history", "drift", "--fail", "--min-change", "20%").returncode == 0

    def test_an_improvement_does_not_fail(self, inside: Command, tmp_path: Path) -> None:
        filled(tmp_path / "history.db", np.repeat([18.0, 20.0], 10) + NOISE[:20])
        done = inside("history", "drift", "--fail")
        assert done.returncode == 0
        assert done.stdout.startswith("better")

    def test_none(self, inside: Command, tmp_path: Path) -> None:
        filled(tmp_path / "history.db", 20 + NOISE[:20])
        done = inside("history", "drift", "--fail")
        assert (done.returncode, done.stdout.startswith("no drift: 1 series looked at")) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "--store", "none.db"), "none.db: found no history there; begin one with"),
        (("show", "--metric", "pnsr"), "unknown metric 'pnsr'; did you mean 'psnr'?"),
        (("show", "--suite", "smal"), "unknown suite 'smal'; did you mean 'small'?"),
        (("drift", "--min-change", "few"), "--min-change: found 'few': expected a share"),
        (("show", "--store", "mysql://host/db"), "found a store of kind 'mysql', expected the path of a SQLite file"),
        (("add", "none"), "none: found no record.json there"),
    ],
)
def test_mistakes(inside: Command, stepped: Path, arguments: tuple[str, ...], message: str) -> None:
    done = inside("history", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_several_suites_need_a_choice(inside: Command, stepped: Path) -> None:
    run = run_of(psnr(20.0))
    run.suite["suite"] = "other"
    History(str(stepped / "history.db")).add(points_of(run))
    done = inside("history", "show")
    assert done.returncode == 2
    assert "found 2 suites in the history, expected --suite with one: other, small" in done.stderr
    assert inside("history", "show", "--suite", "other").returncode == 0
