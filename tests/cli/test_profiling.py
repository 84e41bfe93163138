"""``evalsuite profile`` as a user calls it: timings alone, with the record, reports and exit codes of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalsuite.records import RunRecord
from tests.conftest import Command

SUITE = """\
suite: tiny
task: class_conditional
reference: {dataset: fashion-mnist, split: test}
sampling: {num_samples: 40, seed: 0}
models:
  teacher: {role: teacher, adapter: zoo, name: fashion-teacher, num_steps: 2}
  student: {role: student, adapter: zoo, name: fashion-1step}
targets:
  cpu: {device: cpu, threads: 1, batch_size: 4}
  wide: {device: cpu, threads: 1, batch_size: 8}
metrics: [kid, psnr, {latency: {scenario: single_stream}}, throughput]
slices: [{attribute: class}]
gates:
  - {metric: latency_p50, candidate: student, against: teacher, target: cpu, test: superiority}
  - {metric: kid, candidate: student, against: teacher, test: non_inferiority, margin: {absolute: 0.1}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SUITE, "utf-8")
    return path


def test_only_timings_are_measured_and_nothing_is_generated(evalsuite: Command, suite: Path) -> None:
    done = evalsuite("profile", suite, "--profile", "ci", "--cache", "cache", "--out", "out", "--json", timeout_s=300)
    ended = json.loads(done.stdout)
    assert done.returncode == ended["exit_code"]
    assert {one["metric"] for one in ended["measurements"] + ended["missing"]} == {"latency", "throughput"}
    assert {one["slice"] for one in ended["measurements"]} == {"all"}
    (verdict,) = ended["verdicts"]  # that of quality went with its metric
    assert verdict["gate"].startswith("latency_p50 of student@cpu")
    assert not (suite.parent / "cache" / "samples").exists()
    assert not (suite.parent / "cache" / "features").exists()

    record = RunRecord.load(suite.parent / "out")
    assert record.provenance["only"] == {"scenario": ["*"]}
    assert (record.gallery, record.suite["slices"]) == ([], [])
    assert "no samples were generated" in record.findings[0].evidence
    again = evalsuite("run", suite, "--only", "scenario=*", "--profile", "ci", "--cache", "cache", "--json")
    assert [m["value"] for m in json.loads(again.stdout)["measurements"]] == [m["value"] for m in ended["measurements"]]

    table = evalsuite("compare", "out").stdout
    assert "student@wide/all" in table
    assert "student@cpu/all" in table
    assert json.loads((suite.parent / "out" / "report" / "record.json").read_text())["across_targets"]
    evalsuite("report", "out", "--format", "pytest_benchmark")
    exported = json.loads((suite.parent / "out" / "report" / "benchmark.json").read_text())
    assert {one["extra_info"]["scenario"] for one in exported["benchmarks"]} == {"single_stream", "offline"}


def test_models_targets_and_scenarios_can_be_chosen(evalsuite: Command, suite: Path) -> None:
    chosen = ("--model", "stud*", "--target", "wide", "--scenario", "offline")
    done = evalsuite("profile", suite, *chosen, "--profile", "ci", "--cache", "cache", timeout_s=300)
    assert done.returncode == 0, done.stderr
    assert "no samples were generated" in done.stderr
    (folder,) = (suite.parent / "runs").iterdir()
    assert folder.name.startswith("tiny-")
    assert [(m.case_key, m.name) for m in RunRecord.load(folder).measurements] == [("student@wide/all", "throughput")]


def test_a_plan_of_timings_generates_nothing(evalsuite: Command, suite: Path) -> None:
    planned = json.loads(evalsuite("plan", suite, "--only", "scenario=single_stream", "--json").stdout)
    assert planned["cases"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "server"], "found no metric of a scenario server, expected one that the suite has"),
        (["--scenario", "server"], "single_stream, offline"),
        (["--model", "nobody"], "nothing is left to run"),
        (["--quiet", "--json"], "--quiet and --json"),
        (["--profile", "fast"], "--profile"),
        (["--samples", "5"], "No such option"),
    ],
)
def test_usage_errors(evalsuite: Command, suite: Path, arguments: list[str], message: str) -> None:
    done = evalsuite("profile", suite, *arguments)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_suite_without_timings_says_which_metric_to_add(evalsuite: Command, suite: Path) -> None:
    text = SUITE.replace(", {latency: {scenario: single_stream}}, throughput", "")
    suite.write_text(
        text.replace(
            "  - {metric: latency_p50, candidate: student, against: teacher, target: cpu, test: superiority}\n", ""
        )
    )
    done = evalsuite("profile", suite)
    assert done.returncode == 2
    assert "{latency: {scenario: single_stream}}" in done.stderr
