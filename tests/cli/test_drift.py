"""``evalsuite drift``, as a job that watches a deployed model would call it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.inside import command_inside
from tests.conftest import Command
from tests.direct.files import clouds, pictures, save_folder, save_zip


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    for name, shift, seed in (("then", 0.0, 0), ("now", 0.0, 1), ("apart", 1.0, 2)):
        np.save(tmp_path / f"{name}.npy", clouds(150, 4, shift, seed))
    return command_inside(tmp_path, capsys, monkeypatch)


def test_the_verdict_is_the_exit_code_when_asked(evalsuite: Command, inside: Command) -> None:
    assert evalsuite("drift", "-r", "then.npy", "-c", "apart.npy", "--fail").returncode == 1
    assert inside("drift", "-r", "then.npy", "-c", "apart.npy").returncode == 0
    assert inside("drift", "-r", "then.npy", "-c", "now.npy", "--fail").returncode == 0


def test_text(inside: Command) -> None:
    lines = inside("drift", "-r", "then.npy", "-c", "apart.npy", "--clusters", "3").stdout.splitlines()
    assert lines[0].startswith("drift: features p = 0.002, shares of kinds p = 0.00")
    assert lines[0].endswith("150 reference and 150 current samples, not stated")
    assert lines[1].startswith("kid ") and "95 % interval" in lines[1]
    assert lines[2].startswith("fid ") and lines[2].endswith("with it")
    assert sum("like sample" in line for line in lines) == 3
    assert inside("drift", "-r", "then.npy", "-c", "now.npy").stdout.startswith("no drift found: ")


def test_json(inside: Command) -> None:
    document = json.loads(inside("drift", "-r", "then.npy", "-c", "apart.npy", "--format", "json").stdout)
    assert list(document) == [
        "drifted", "alpha", "p_features", "p_shares", "kid", "fid", "shares", "reference", "current", "extractor",
    ]  # fmt: skip
    assert document["drifted"] is True
    assert set(document["fid"]["interval"]) == {"low", "high", "level", "method"}
    assert sum(share["current"] for share in document["shares"]) == 150


def test_images(inside: Command, tmp_path: Path) -> None:
    save_folder(tmp_path / "R", pictures(30))
    save_zip(tmp_path / "C.zip", pictures(30, seed=1))
    done = inside("drift", "-r", "R", "-c", "C.zip", "--extractor", "pixels", "--clusters", "2")
    assert done.returncode == 0
    assert done.stdout.startswith("no drift found")
    assert "evalsuite: fid: biased" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-r", "then.npy", "-c", "none"), "none: does not exist"),
        (("-r", "then.npy", "-c", "now.npy", "--permutations", "50"), "expected at least 199"),
    ],
)
def test_mistakes(inside: Command, arguments: tuple[str, ...], message: str) -> None:
    done = inside("drift", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
