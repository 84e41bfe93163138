"""``evalsuite baseline``: kept, looked at, checked, compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.inside import command_inside
from tests.compare.inputs import of_groups, of_rounds, of_samples, record
from tests.conftest import Command

VALUES = np.random.default_rng(0).normal(20, 3, 200)
HERE = {"environment.processor": "this one"}


@pytest.fixture
def inside(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """A folder with a run, which is the baseline ``main`` too."""
    call = command_inside(tmp_path, capsys, monkeypatch)
    run = record(
        of_samples(VALUES),
        of_samples(VALUES, model="other"),
        of_groups(lambda x: float(x.var()), VALUES),
        of_rounds(np.full(12, 0.1), protocol=HERE),
    )
    run.provenance["code"] = {"commit": "c0ffee" * 6}
    run.save(tmp_path / "run")
    assert call("baseline", "save", "run").returncode == 0
    return call


def test_list_and_show(inside: Command) -> None:
    row = inside("baseline", "list").stdout.splitlines()[1].split()
    assert row[:3] == ["small/main", "c0ffeec0", "4"]
    shown = inside("baseline", "show", "main").stdout
    assert "c0ffeec0ffee" in shown
    assert "student@cpu/all" in shown
    document = json.loads(inside("baseline", "show", "small/main", "--json").stdout)
    assert [one["name"] for one in document["measurements"]] == ["psnr", "fid", "latency_p50", "psnr"]


def test_what_the_real_command_says_of_a_changed_file(evalsuite: Command, inside: Command, tmp_path: Path) -> None:
    assert inside("baseline", "verify").stdout == "ok      baselines/small/main.json\n"
    path = tmp_path / "baselines" / "small" / "main.json"
    path.write_text(path.read_text().replace('"value": 0.1', '"value": 0.2'))
    done = evalsuite("baseline", "verify")
    assert (done.returncode, done.stdout) == (2, "broken  baselines/small/main.json\n")
    assert "its checksum does not fit; it was changed after it was written. Take it from version control" in done.stderr


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda arrays: arrays.unlink(), "there is no such file"),
        (lambda arrays: arrays.write_bytes(arrays.read_bytes()[:-9]), "changed or cut short"),
        (lambda arrays: arrays.with_suffix(".json").write_text("{"), "not JSON"),
        (lambda arrays: arrays.with_suffix(".json").write_text('{"format_version": 9}'), "use a newer evalsuite"),
        (lambda arrays: arrays.with_suffix(".json").write_text('{"format_version": 0}'), "save the baseline again"),
    ],
)
def test_damage(inside: Command, tmp_path: Path, damage, message: str) -> None:
    damage(tmp_path / "baselines" / "small" / "main.safetensors")
    done = inside("baseline", "verify", "main")
    assert done.returncode == 2
    assert message in done.stderr
    assert "cannot be read" in inside("baseline", "list").stdout
    assert inside("gate", "run").returncode == 2


def test_diff_to_a_run_says_what_is_real(inside: Command, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.5, 200)
    later = record(
        of_samples(VALUES - 1 + noise),
        of_samples(VALUES + noise, model="other"),
        of_samples((VALUES > 20).astype(float), name="new_one"),
        of_rounds(np.full(12, 0.2), protocol=HERE | {"environment.processor": "another"}),
    )
    later.save(tmp_path / "later")
    done = inside("baseline", "diff", "main", "later", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    of = {(one["name"], one["terms"][0]["identity"][0]): one for one in document["comparisons"]}
    worse, same = of["psnr", "student@cpu/all"], of["psnr", "other@cpu/all"]
    assert (worse["better"], worse["paired"]) == (False, True)
    assert worse["interval"]["low"] < -1 < worse["interval"]["high"] < 0
    assert same["better"] is None
    assert of["latency_p50", "student@cpu/all"]["incomparable"] == (
        "measured by different protocols: environment.processor is another and this one; "
        "to judge times and memory on any machine, compare with the teacher of the same run"
    )
    assert document["gone"] == [["student@cpu/all", "fid", "reference"]]
    assert document["new"] == [["student@cpu/all", "new_one", "reference"]]
    assert document["facts"] == {"commit": ["c0ffee" * 6, None]}
    shown = inside("baseline", "diff", "main", "later").stdout
    assert "gone: fid(student@cpu/all vs reference)" in shown
    assert "incomparable: latency_p50" in shown


def test_two_baselines_of_other_seeds(inside: Command, tmp_path: Path) -> None:
    record(of_samples(VALUES), seed=1).save(tmp_path / "other")
    inside("baseline", "save", "other", "--name", "reseeded")
    document = json.loads(inside("baseline", "diff", "main", "reseeded", "--json").stdout)
    assert {"suite_hash", "seeds and classes"} <= set(document["facts"])
    assert [one["paired"] for one in document["comparisons"]] == [False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "mian"), "found no baseline 'mian' in baselines/; did you mean 'main'?"),
        (("diff", "main", "none"), "found no baseline 'none'"),
        (("verify", "--baselines", "empty"), "found no baseline in empty/, expected one"),
        (("show", "main", "--baselines", "empty"), "make one with evalsuite baseline save RUN"),
    ],
)
def test_mistakes(inside: Command, arguments: tuple[str, ...], message: str) -> None:
    done = inside("baseline", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_names_of_several_suites(inside: Command, tmp_path: Path) -> None:
    run = record(of_samples(VALUES))
    run.suite["suite"] = "large"
    run.save(tmp_path / "large")
    inside("baseline", "save", "large")
    assert "expected one of large/main, small/main" in inside("baseline", "show", "main").stderr
    assert inside("baseline", "show", "large/main").returncode == 0
    assert "expected two baselines or runs of one" in inside("baseline", "diff", "large/main", "small/main").stderr
