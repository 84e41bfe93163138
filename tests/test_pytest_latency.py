"""The fixture ``model_latency``: in a pytest of its own, with the real harness and the real pytest-benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

FLAGS = ("-p", "no:cacheprovider", "-o", "addopts=", "--evalsuite-profile", "ci")

MODELS = """\
import time

import numpy as np

answers = {}


def cached(seeds, condition):
    '''Sleeps for each image that it has not made yet.'''
    for seed in seeds:
        if seed not in answers:
            time.sleep(0.02)
            answers[seed] = np.random.default_rng(seed).integers(0, 255, (1, 8, 8), dtype=np.uint8)
    return np.stack([answers[seed] for seed in seeds])
"""

ZOO = """\
import pytest

TARGET = {"device": "cpu", "threads": 1}


@pytest.mark.benchmark(group="students")
def test_student(model_latency, benchmark):
    found = model_latency(adapter="zoo", name="fashion-1step", target=TARGET)
    assert found.interval.low <= found.value <= found.interval.high < 60
    assert found.unit == "s" and found.n >= 44 and found.protocol["environment.threads"] == 1
    assert benchmark.extra_info["median_low"] == found.interval.low


def test_asked_for_classes_in_batches(model_latency):
    found = model_latency(
        adapter="zoo", name="fashion-4step", target=TARGET, batch_size=24, reference={"dataset": "fashion-mnist"}
    )  # a batch takes longer than a turn of this profile has to last
    assert found.protocol["batch_size"] == 24
    assert found.value > 60, "this is what the test expects"
"""

OTHERS = """\
import pytest


def test_own_code(model_latency):
    found = model_latency(adapter="python", callable="models.py:cached", condition="none")
    assert found.value >= 0.02
    assert "the model answers from a cache" in found.invalid
    with pytest.raises(pytest.fail.Exception, match="found a second call of model_latency, expected one in a test"):
        model_latency(adapter="zoo", name="fashion-1step")


def test_misspelt(model_latency):
    model_latency(adapter="zoo", name="fashion-5step")


def test_setting(model_latency):
    model_latency(adapter="zoo", name="fashion-1step", target={"thread": 1})


def test_without_prompts(model_latency):
    model_latency(adapter="python", callable="models.py:cached", condition="text")


def test_without_speed(model_latency, tmp_path):
    (tmp_path / "0.png").write_bytes(b"")
    model_latency(adapter="image_folder", path=str(tmp_path))


def test_elsewhere(model_latency):
    model_latency(adapter="zoo", name="fashion-1step", target={"device": "mps"})
"""


def called(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", *FLAGS, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "models.py").write_text(MODELS)
    (folder / "test_zoo.py").write_text(ZOO)
    (folder / "test_others.py").write_text(OTHERS)
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    return called(folder, "test_zoo.py", "--benchmark-storage=kept", "--benchmark-save=first", "--benchmark-save-data")


@pytest.fixture(scope="module")
def saved(folder: Path, first: subprocess.CompletedProcess[str]) -> Path:
    (path,) = (folder / "kept").rglob("*first.json")
    return path


def benchmarks(path: Path) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(path.read_text())["benchmarks"]}


def test_times_of_the_models_process_are_recorded(first: subprocess.CompletedProcess[str], saved: Path) -> None:
    assert "1 failed, 1 passed" in first.stdout, first.stdout
    assert "this is what the test expects" in first.stdout
    one = benchmarks(saved)["test_student"]
    assert one["group"] == "students"
    assert one["stats"]["rounds"] == len(one["stats"]["data"]) >= 44
    details = one["extra_info"]
    assert details["median_low"] <= one["stats"]["median"] <= details["median_high"]
    assert details["protocol"]["scenario"] == "single_stream"
    assert details["protocol"]["environment.threads"] == 1


def test_batches_are_timed_whole(saved: Path) -> None:
    one = benchmarks(saved)["test_asked_for_classes_in_batches"]
    assert one["extra_info"]["protocol"]["scenario"] == "offline:batch_size=24"
    assert one["stats"]["rounds"] == 12, "one in each turn"


def test_runs_are_compared(folder: Path, saved: Path) -> None:
    """Against a record of a machine on which everything takes a hundredth of the time."""
    content = json.loads(saved.read_text())
    for one in content["benchmarks"]:
        one["stats"].update({key: one["stats"][key] / 100 for key in ("min", "max", "mean", "median", "total")})
    faster = saved.with_name(saved.name.replace("first", "faster").replace("0001", "0002"))
    faster.write_text(json.dumps(content))
    chosen = ("test_zoo.py::test_student", "--benchmark-storage=kept")
    done = called(folder, *chosen, "--benchmark-compare=0002", "--benchmark-compare-fail=median:100%")
    assert done.returncode == 1
    assert "Performance has regressed" in done.stderr, done.stdout
    tool = [sys.executable, "-m", "pytest_benchmark", "--storage=kept", "compare", "0001", "0002"]
    table = subprocess.run(tool, cwd=folder, capture_output=True, text=True, timeout=60)
    assert table.returncode == 0, table.stderr
    assert table.stdout.count("test_student") == 2


def test_what_cannot_be_timed_is_told_why_though_nothing_is_recorded(folder: Path) -> None:
    done = called(folder, "test_others.py", "-rs", "--benchmark-disable")
    assert "4 failed, 1 passed, 1 skipped" in done.stdout, done.stdout
    assert "the latency is INVALID: a repeated request takes " in done.stdout
    assert "did you mean 'fashion-4step'?" in done.stdout
    assert "test_others.py: targets.target.thread: found key 'thread', expected a setting of cpu" in done.stdout
    assert "the model has no latency here (skipped): the model takes prompts" in done.stdout
    assert "adapter image_folder has no speed to measure" in done.stdout
    assert "SKIPPED [1]" in done.stdout
    assert "the model has no latency here (unavailable): " in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("-p", "no:benchmark"), "install it with: pip install 'evalsuite[benchmark]'"),
        (("--benchmark-skip",), "2 skipped"),
    ],
)
def test_pytest_benchmarks_own_switches_hold(folder: Path, flags: tuple[str, ...], said: str) -> None:
    done = called(folder, "test_zoo.py", *flags)
    assert said in done.stdout
