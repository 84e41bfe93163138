"""Commands that need no run, called as a user calls them: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command, call_evalsuite

SUITE = """\
suite: tiny
task: class_conditional
reference: {dataset: fashion-mnist, split: test}
sampling: {num_samples: 40, seed: 0}
models:
  teacher: {role: teacher, adapter: zoo, name: fashion-teacher, num_steps: 4}
  student: {role: student, adapter: zoo, name: fashion-1step}
targets: {cpu: {device: cpu, threads: 1, batch_size: 20}}
metrics: [kid, psnr]
slices: [{attribute: class}, {guidance: {scale: [2.5]}}]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SUITE, "utf-8")
    return path


def test_help_names_every_command(evalsuite: Command) -> None:
    done = evalsuite("--help")
    measure = ["run", "profile", "validate", "plan", "measure", "statistics"]
    bring = ["init-model", "check-model"]
    read = ["report", "compare", "gate", "baseline"]
    look = ["list", "runs", "cache", "schema", "init", "doctor", "weights"]
    assert done.returncode == 0
    assert [command for command in measure + bring + read + look if f" {command} " not in done.stdout] == []
    assert "130 interrupted" in done.stdout


@pytest.mark.parametrize(
    "command", ["run", "measure", "statistics", "check-model", "compare", "baseline save", "cache prune", "runs list"]
)
def test_every_command_has_help(evalsuite: Command, command: str) -> None:
    done = evalsuite(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")


def test_help_answers_at_once(tmp_path: Path) -> None:
    """In 0.4 s: measured in processor time, which a busy machine stretches less than the clock."""
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        call_evalsuite("--help", cwd=tmp_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(seconds) < 0.4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "Missing argument"),
        (["fly"], "No such command"),
        (["list", "planets"], "planets"),
        (["validate", "absent.yaml"], "absent.yaml"),
        (["plan", "tiny.yaml", "--only", "teacher"], "expected KIND=GLOB"),
        (["plan", "tiny.yaml", "--only", "modle=teacher"], "did you mean 'model'"),
        (["plan", "tiny.yaml", "--only", "model=nobody"], "nobody"),
        (["run", "tiny.yaml", "--quiet", "--json"], "--quiet and --json"),
        (["run", "tiny.yaml", "--samples", "0"], "--samples"),
        (["run", "tiny.yaml", "--profile", "fast"], "--profile"),
        (["compare", "latest"], "no finished run"),
        (["gate", "nowhere"], "record.json"),
        (["report", "nowhere"], "record.json"),
        (["baseline", "save", "nowhere"], "record.json"),
        (["runs", "latest"], "no finished run"),
        (["cache", "prune"], "--max-size 0"),
        (["cache", "prune", "--max-size", "much"], "600 MB"),
    ],
)
def test_usage_errors_are_one_message_and_exit_code_2(
    evalsuite: Command, suite: Path, arguments: list[str], message: str
) -> None:
    done = evalsuite(*arguments)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_validate_says_every_mistake_with_its_line(evalsuite: Command, suite: Path) -> None:
    suite.write_text(SUITE.replace("kid", "kidd").replace("batch_size", "batchsize"), "utf-8")
    done = evalsuite("validate", suite.name)
    assert done.returncode == 2
    assert "tiny.yaml:8:" in done.stderr
    assert "tiny.yaml:9:" in done.stderr
    assert "did you mean 'kid'?" in done.stderr


def test_validate_says_once_why_it_cannot_tell_what_gates_decide(evalsuite: Command, suite: Path) -> None:
    gate = "{metric: kid, candidate: student, against: teacher, test: no_regression, slice: %s}"
    suite.write_text(f"{SUITE}gates: [{gate % 'all'}, {gate % 'worst'}]\n", "utf-8")
    lines = evalsuite("validate", suite.name).stdout.splitlines()
    assert lines[0].startswith("tiny.yaml: valid; ")
    assert lines[1].startswith("whether these gates can be decided is unknown, no earlier run")
    assert lines[2:] == [
        "  kid of student@cpu against teacher: no_regression",
        "  kid of student@cpu on worst against teacher: no_regression",
    ]


def test_validate_as_json_gives_the_resolved_suite(evalsuite: Command, suite: Path) -> None:
    from evalsuite.suite.schema import Suite

    document = json.loads(evalsuite("validate", suite, "--json").stdout)
    assert Suite.model_validate(document["suite"]).suite_hash == document["suite_hash"]


def test_plan_lists_cases_with_samples_and_disk(evalsuite: Command, suite: Path) -> None:
    done = evalsuite("plan", suite)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.split()}
    assert lines["teacher@cpu/all"] == ["40", "0", "31.4", "kB", "unknown", "unknown"]
    assert lines["student@cpu/all"] == ["40", "0", "31.4", "kB", "unknown", "unknown"]
    assert lines["teacher@cpu/guidance=2.5"] == ["40", "0", "31.4", "kB", "unknown", "unknown"]
    assert lines["all"] == ["120", "0", "94.1", "kB", "unknown"]
    assert "20 subset slices" in done.stdout
    assert "student@cpu/guidance=2.5" in done.stdout.partition("skipped")[2]


def test_plan_narrows_by_only_and_samples(evalsuite: Command, suite: Path) -> None:
    done = evalsuite("plan", suite, "--only", "model=stud*,slice=class=bag", "--samples", "30", "--json")
    cases = {case["case_key"]: case["num_samples"] for case in json.loads(done.stdout)["cases"]}
    assert cases == {"student@cpu/all": 30, "student@cpu/class=bag": 0}


def test_plan_says_what_gates_can_decide_once_a_pilot_has_run(evalsuite: Command, suite: Path) -> None:
    gate = "{metric: kid, candidate: student, against: teacher, test: non_inferiority, margin: {absolute: 0.01}}"
    suite.write_text(f"{SUITE}gates:\n  - {gate}\n".replace("num_samples: 40", "num_samples: 100"), "utf-8")
    before = evalsuite("plan", suite)
    assert "no earlier run of this suite" in before.stdout
    assert "--pilot" in before.stdout
    (found,) = json.loads(evalsuite("plan", suite, "--pilot", "--json").stdout)["gates"]
    assert found["effect"] > 0
    assert found["needed"] > 100 if found["effect"] > found["room"] else found["needed"] <= 100
    (pilot,) = (suite.parent / "runs").iterdir()
    assert found["source"] == pilot.name
    assert json.loads((pilot / "record.json").read_text())["suite"]["sampling"]["num_samples"] == 20
    assert pilot.name in evalsuite("plan", suite).stdout


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("models", "fashion-teacher"),
        ("metrics", "class_accuracy"),
        ("slices", "attribute"),
        ("targets", "cuda"),
        ("extractors", "fashion-cnn"),
        ("datasets", "fashion-mnist"),
    ],
)
def test_list_names_and_explains(evalsuite: Command, kind: str, name: str) -> None:
    done = evalsuite("list", kind)
    lines = [line for line in done.stdout.splitlines() if line.startswith(f"{name} ")]
    assert done.returncode == 0, done.stderr
    assert len(lines) == 1
    assert len(lines[0].split()) > 3


def test_metrics_are_listed_with_direction_unit_and_paper(evalsuite: Command) -> None:
    lines = [line.rstrip() for line in evalsuite("list", "metrics").stdout.splitlines()]
    psnr = next(line for line in lines if line.startswith("psnr "))
    assert "higher is better  dB" in psnr
    assert "Huynh-Thu and Ghanbari 2008" in psnr
    assert sum("lower is better" in line for line in lines) > 5


def test_init_writes_a_valid_suite_and_overwrites_nothing(evalsuite: Command, tmp_path: Path) -> None:
    assert evalsuite("init", "mine.yaml").returncode == 0
    assert evalsuite("validate", "mine.yaml").returncode == 0
    before = (tmp_path / "mine.yaml").read_bytes()
    again = evalsuite("init", "mine.yaml")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert (tmp_path / "mine.yaml").read_bytes() == before


def test_schema_is_json(evalsuite: Command) -> None:
    assert "properties" in json.loads(evalsuite("schema").stdout)


def test_cache_size_and_prune(evalsuite: Command, tmp_path: Path) -> None:
    import numpy as np

    from evalsuite.store import Store

    Store(tmp_path / "cache").write("samples", "ab/0-10", {"images": np.zeros(100_000, np.uint8)})
    assert "samples  1 entries  100 kB" in evalsuite("cache", "size", "--cache", "cache").stdout
    assert evalsuite("cache", "prune", "--cache", "cache", "--older-than", "1").stdout == "freed 0 B\n"
    assert evalsuite("cache", "prune", "--cache", "cache", "--max-size", "0").stdout == "freed 100 kB\n"


def test_a_defect_is_a_short_message_and_the_place_of_the_traceback(tmp_path: Path) -> None:
    program = (
        "import sys, evalsuite.plugins, evalsuite.cli.main as cli\n"
        "def names(room): raise RuntimeError('surprise')\n"
        "evalsuite.plugins.names = names\n"
        "sys.argv = ['evalsuite', 'list', 'metrics']\n"
        "cli.main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 70
    assert "RuntimeError: surprise" in done.stderr
    assert "Traceback" not in done.stderr
    [log] = tmp_path.glob("evalsuite-*.log")
    assert str(log) in done.stderr
    assert "Traceback" in log.read_text("utf-8")
