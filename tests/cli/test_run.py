"""A run through the command line, on quick models: exit codes, and every command that reads runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Command, call_evalsuite

MODELS = """\
import time

import numpy as np


def sharp(seeds, labels):
    images = np.stack([np.random.default_rng(seed).integers(0, 100, (1, 28, 28)) for seed in seeds])
    for image, label in zip(images, labels):
        image[:, :, 2 * label : 2 * label + 8] += 150
    return images.astype(np.uint8)


def dull(seeds, labels):
    noise = np.stack([np.random.default_rng(seed + 1).integers(0, 40, (1, 28, 28)) for seed in seeds])
    return (sharp(seeds, labels) // 2 + noise).astype(np.uint8)


def broken(seeds, labels):
    raise ValueError("no weights today")


def slow(seeds, labels):
    time.sleep(0.5)
    return sharp(seeds, labels)
"""
SUITE = """\
suite: tiny
task: class_conditional
reference: {dataset: fashion-mnist, split: test}
sampling: {num_samples: 200, seed: 0}
models:
  teacher: {role: teacher, adapter: python, callable: "models.py:sharp", version: "1"}
  student: {role: student, adapter: python, callable: "models.py:dull", version: "1"}
targets: {cpu: {device: cpu, threads: 1, batch_size: 100}}
metrics: [{kid: {extractor: pixels}}, psnr]
slices: [{attribute: class}]
gates:
  - {metric: kid, candidate: student, against: teacher, test: non_inferiority, margin: {absolute: 1000}}
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models, a suite, and one finished run of it."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "models.py").write_text(MODELS, "utf-8")
    (folder / "tiny.yaml").write_text(SUITE, "utf-8")
    done = call_evalsuite("run", "tiny.yaml", "--allow-code", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout, "utf-8")
    return folder


def called(workplace: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return call_evalsuite(*arguments, cwd=workplace)


def run_of(workplace: Path, name: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the suite with some texts changed."""
    text = SUITE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (workplace / f"{name}.yaml").write_text(text, "utf-8")
    return called(workplace, "run", f"{name}.yaml", "--allow-code", "--json", "--out", f"out/{name}")


def test_run_ends_with_a_table_the_verdict_and_the_report(workplace: Path) -> None:
    lines = (workplace / "stdout.txt").read_text("utf-8").splitlines()
    text = "\n".join(lines)
    assert "teacher" in text
    assert "KID ↓" in text
    assert "PSNR ↑ (dB)" in text
    assert any(line.startswith("pass ") and "kid" in line for line in lines)
    report = workplace / lines[-1].removeprefix("report: ")
    assert report.name == "index.html"
    assert report.is_file()


def test_the_record_can_be_read_in_python(workplace: Path) -> None:
    from evalsuite.records import RunRecord

    [folder] = (workplace / "runs").iterdir()
    record = RunRecord.load(folder)
    assert {m.model for m in record.measurements} == {"teacher", "student"}


def test_json_is_one_document_and_the_cache_gives_the_same_content(workplace: Path) -> None:
    first = json.loads(run_of(workplace, "again").stdout)
    second = json.loads(run_of(workplace, "again").stdout)
    assert first["exit_code"] == 0
    assert first["content_hash"] == second["content_hash"]
    assert {verdict["outcome"] for verdict in first["verdicts"]} == {"pass"}
    assert (workplace / first["folder"] / "record.json").is_file()


def test_quiet_prints_the_folder_alone(workplace: Path) -> None:
    done = called(workplace, "run", "tiny.yaml", "--allow-code", "--quiet", "--out", "out/quiet")
    assert (done.stdout, done.stderr, done.returncode) == ("out/quiet\n", "", 0)


def test_a_failed_gate_is_exit_code_1(workplace: Path) -> None:
    done = run_of(workplace, "fails", **{"test: non_inferiority, margin: {absolute: 1000}": "test: superiority"})
    document = json.loads(done.stdout)
    assert [verdict["outcome"] for verdict in document["verdicts"]] == ["fail"]
    assert done.returncode == document["exit_code"] == 1
    assert called(workplace, "gate", "out/fails").returncode == 1


def test_a_margin_that_is_known_to_be_too_narrow_is_exit_code_2(workplace: Path) -> None:
    done = run_of(workplace, "narrow", **{"margin: {absolute: 1000}": "margin: {absolute: 0.000001}"})
    assert done.returncode == 2
    assert "samples would do (known from " in done.stderr
    assert not (workplace / "out" / "narrow").exists()


def on_the_edge(workplace: Path, run: str) -> dict[str, str]:
    """A margin that is the difference which a run found, so that its samples cannot decide."""
    comparisons: list[dict[str, Any]] = json.loads(called(workplace, "compare", run, "--json").stdout)
    [kid] = [
        c["value"] for c in comparisons if c["name"] == "kid" and c["terms"][0]["identity"][0] == "student@cpu/all"
    ]
    return {"margin: {absolute: 1000}": f"margin: {{absolute: {kid!r}}}"}


@pytest.mark.parametrize(("policy", "code"), [("fail", 3), ("warn", 0)])
def test_a_gate_on_the_edge_is_inconclusive_and_what_that_means_the_suite_says(
    workplace: Path, policy: str, code: int
) -> None:
    edge = on_the_edge(workplace, "latest")
    done = run_of(workplace, f"edge-{policy}", **edge, gates=f"on_inconclusive: {policy}\ngates")
    assert [verdict["outcome"] for verdict in json.loads(done.stdout)["verdicts"]] == ["inconclusive"]
    assert done.returncode == code
    assert called(workplace, "gate", f"out/edge-{policy}").returncode == code


def test_an_open_gate_gets_more_samples_up_to_the_last_stage(workplace: Path) -> None:
    called(workplace, "run", "tiny.yaml", "--allow-code", "--samples", "240", "--out", "out/more", "--quiet")
    stages = {"gates": "on_inconclusive: extend\nstages: [200, 240]\ngates"}
    done = run_of(workplace, "extended", **on_the_edge(workplace, "out/more"), **stages)
    document = json.loads(done.stdout)
    [verdict] = document["verdicts"]
    assert verdict["outcome"] == "inconclusive"
    assert verdict["reason"].endswith("Look 2 of 2, at 240 samples.")
    assert {m["n"] for m in document["measurements"] if m["slice"] == "all"} == {240}
    assert done.returncode == document["exit_code"] == 3


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"extractor: pixels": "extractor: spectrum"}, "incomparable", "extractor is spectrum and pixels"),
        ({"against: teacher": "against: 'baseline:mian'"}, "missing", "did you mean 'main'?"),
    ],
)
def test_a_gate_that_cannot_be_judged_is_exit_code_4(
    workplace: Path, changes: dict[str, str], outcome: str, reason: str
) -> None:
    [earlier] = (workplace / "runs").iterdir()
    called(workplace, "baseline", "save", earlier, "--name", "main")
    changes = {"against: teacher": "against: 'baseline:main'", "test: non_inferiority": "test: no_regression"} | changes
    done = run_of(workplace, outcome, **changes)
    [verdict] = json.loads(done.stdout)["verdicts"]
    assert (verdict["outcome"], done.returncode) == (outcome, 4)
    assert reason in verdict["reason"]


def test_a_failed_cell_is_exit_code_4_and_the_others_go_on(workplace: Path) -> None:
    broken = '"models.py:dull", version: "1"}\n  broken: {role: student, adapter: python, callable: "models.py:broken"'
    done = run_of(workplace, "broken", **{'"models.py:dull", version: "1"': broken})
    document = json.loads(done.stdout)
    assert done.returncode == 4
    assert {m["model"] for m in document["measurements"]} == {"teacher", "student"}
    reasons = {m["reason"] for m in document["missing"] if m["model"] == "broken" and m["kind"] == "failed"}
    assert any("no weights today" in reason for reason in reasons)


def test_code_runs_only_when_allowed(workplace: Path) -> None:
    done = called(workplace, "run", "tiny.yaml")
    assert done.returncode == 2
    assert "--allow-code" in done.stderr


def test_only_narrows_the_run(workplace: Path) -> None:
    arguments = ("--only", "model=teacher,slice=class=bag", "--allow-code", "--json", "--out", "out/only")
    document = json.loads(called(workplace, "run", "tiny.yaml", *arguments).stdout)
    assert {m["case_key"] for m in document["measurements"]} == {"teacher@cpu/all", "teacher@cpu/class=bag"}


def test_runs_list_and_latest(workplace: Path) -> None:
    [folder] = (workplace / "runs").iterdir()
    assert called(workplace, "runs", "list").stdout == f"runs/{folder.name}\n"
    assert called(workplace, "runs", "latest").stdout == f"runs/{folder.name}\n"


def test_compare_a_run_with_itself_finds_no_difference(workplace: Path) -> None:
    done = called(workplace, "compare", "latest", "latest", "--json")
    comparisons = json.loads(done.stdout)
    assert done.returncode == 0
    assert {c["value"] for c in comparisons if c["value"] is not None} == {0}
    assert not [c for c in comparisons if c["better"] is not None]


def test_compare_prints_a_table(workplace: Path) -> None:
    out = called(workplace, "compare", "latest").stdout
    assert "student@cpu/all" in out
    assert "difference or ratio" in out


def test_report_is_written_again_from_the_folder_alone(workplace: Path) -> None:
    copied = workplace / "copied"
    [folder] = (workplace / "runs").iterdir()
    shutil.copytree(folder, copied)
    shutil.rmtree(copied / "report")
    done = called(workplace, "report", copied / "record.json", "--format", "markdown", "--format", "csv")
    written = [workplace / line for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert {path.suffix for path in written} == {".md", ".csv"}
    assert all(path.is_file() for path in written)
    assert not (copied / "report" / "index.html").exists()
    assert called(workplace, "report", copied, "--single-file").stdout == f"{copied}/report/report.html\n"


def test_baseline_save_and_a_gate_against_it(workplace: Path) -> None:
    saved = called(workplace, "baseline", "save", "latest", "--name", "main")
    assert saved.returncode == 0, saved.stderr
    assert [Path(line).name for line in saved.stdout.splitlines()] == ["main.json", "main.safetensors"]
    changes = {"against: teacher": "against: 'baseline:main'"}
    done = run_of(workplace, "against-baseline", **changes)
    assert done.returncode == 0, done.stderr
    assert [verdict["outcome"] for verdict in json.loads(done.stdout)["verdicts"]] == ["pass"]


@pytest.mark.parametrize("command", ["report", "compare", "gate"])
def test_a_changed_record_is_refused(workplace: Path, command: str) -> None:
    [folder] = (workplace / "runs").iterdir()
    changed = workplace / f"changed-{command}"
    shutil.copytree(folder, changed)
    text = (changed / "record.json").read_text("utf-8")
    (changed / "record.json").write_text(text.replace('"value": ', '"value": 1', 1), "utf-8")
    done = called(workplace, command, changed)
    assert done.returncode == 2
    assert "changed after the run" in done.stderr


def test_an_unusable_cache_is_exit_code_4(evalsuite: Command, workplace: Path) -> None:
    (workplace / "a-file").write_text("", "utf-8")
    done = called(workplace, "run", "tiny.yaml", "--allow-code", "--cache", "a-file", "--out", "out/no-cache")
    assert done.returncode == 4
    assert "a-file" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(workplace: Path) -> None:
    text = SUITE.replace("models.py:dull", "models.py:slow").replace("batch_size: 100", "batch_size: 1")
    (workplace / "slow.yaml").write_text(text, "utf-8")
    command = [sys.executable, "-m", "evalsuite", "run", "slow.yaml", "--allow-code", "--out", "out/slow"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=workplace, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as run:  # fmt: skip
        wait_for(workplace / "out" / "slow" / "events.jsonl", '"generate"')
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "evalsuite run slow.yaml" in err
    assert "Traceback" not in err


def wait_for(path: Path, text: str, timeout_s: float = 60) -> None:
    """Until a file holds a text."""
    end = time.monotonic() + timeout_s
    while not (path.is_file() and text in path.read_text("utf-8")):
        assert time.monotonic() < end, f"{path} never held {text}"
        time.sleep(0.05)
