"""The export that pytest-benchmark reads: checked against its own statistics, and by its own command."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.stats import Stats

from evalsuite.records import Timings
from evalsuite.reports.contract import ReportInputs
from evalsuite.reports.pytest_benchmark import PytestBenchmark
from tests.reports.hostile import hostile_inputs


def exported(inputs: ReportInputs) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(PytestBenchmark().render(inputs)["benchmark.json"])
    return content


def with_timings(inputs: ReportInputs, *timings: Timings) -> ReportInputs:
    return replace(inputs, record=inputs.record.model_copy(update={"timings": list(timings)}))


def timings(values: list[list[float]], **fields: Any) -> Timings:
    return Timings(
        **{
            "case_key": "teacher@cpu/all", "scenario": "single_stream", "batch_size": 1, "unit": "s", "warmups": 3,
            "values": values, "environment": {"threads": 2}, **fields,
        }
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 40, 97])
def test_statistics_are_those_of_the_tool(inputs: ReportInputs, count: int) -> None:
    values = np.random.default_rng(count).lognormal(size=count).tolist()
    theirs = Stats()
    for value in values:
        theirs.update(value)
    (benchmark,) = exported(with_timings(inputs, timings([values])))["benchmarks"]
    ours = benchmark["stats"]
    assert ours.pop("data") == values
    assert ours.pop("iterations") == 1
    assert ours.pop("outliers") == theirs.outliers
    expected = {key: value for key, value in theirs.as_dict().items() if key != "outliers"}
    assert ours == pytest.approx(expected)


def test_a_benchmark_says_where_how_and_whether_it_is_valid(inputs: ReportInputs) -> None:
    one = timings([[0.1, 0.2], [0.3]])
    flawed = timings([[0.1]], scenario="stages", series="decode", batch_size=4, valid=False, reason="1 round")
    good, bad = exported(with_timings(inputs, one, flawed))["benchmarks"]
    assert (good["name"], good["group"]) == ("single_stream[teacher@cpu]", "single_stream on cpu, batch of 1")
    assert good["extra_info"]["rounds"] == 2
    assert good["extra_info"]["valid"] is True
    assert good["stats"]["rounds"] == 3
    assert bad["name"] == "stages/decode[teacher@cpu] INVALID"
    assert (bad["extra_info"]["valid"], bad["extra_info"]["reason"]) == (False, "1 round")
    assert bad["extra_info"]["batch_size"] == 4


def test_only_durations_of_the_model_are_exported(inputs: ReportInputs) -> None:
    others = [
        timings([[1e8]], unit="bytes", scenario="memory"),
        timings([[]]),
        timings([[0.1]], series="clock"),
        timings([[0.1, 0.2]], scenario="realtime:fps=10", series="shown"),
    ]
    assert exported(with_timings(inputs, *others))["benchmarks"] == []


def test_the_commit_is_that_of_the_users_code(inputs: ReportInputs) -> None:
    code = {"commit": "abc", "committed": "2026-01-01T00:00:00+00:00", "dirty": True}
    made = replace(inputs, record=inputs.record.model_copy(update={"provenance": {"code": code}}))
    assert exported(made)["commit_info"]["id"] == "abc"
    assert exported(made)["commit_info"]["dirty"] is True
    assert exported(inputs)["commit_info"]["id"] == "unversioned"


def compare(folder: Path, *files: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("pytest-benchmark")
    return subprocess.run(
        [command, "compare", *options, *files], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_the_tool_compares_two_runs(inputs: ReportInputs, tmp_path: Path) -> None:
    for name, factor in (("before.json", 1.0), ("after.json", 2.0)):
        values = [[factor * seconds for seconds in (0.010, 0.011, 0.012)]]
        invalid = timings([[0.5]], case_key="student-1step@cpu/all", valid=False, reason="1 round")
        made = with_timings(inputs, timings(values), invalid)
        (tmp_path / name).write_bytes(PytestBenchmark().render(made)["benchmark.json"])
    done = compare(tmp_path, "before.json", "after.json")
    assert done.returncode == 0, done.stderr
    assert "Failed to load" not in done.stdout + done.stderr
    assert "single_stream on cpu, batch of 1" in done.stdout
    assert "single_stream[teacher@cpu] (before" in done.stdout or "single_stream[teacher@cpu] (befo" in done.stdout
    assert "single_stream[student-1step@cpu] INVALID" in done.stdout
    between = compare(tmp_path, "before.json", "after.json", options=("--between", "median"))
    assert between.returncode == 0, between.stderr
    row = next(line for line in between.stdout.splitlines() if "teacher@cpu" in line)
    assert "11.0" in row
    assert "22.0" in row


def test_hostile_names_are_plain_text(inputs: ReportInputs, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(PytestBenchmark().render(hostile_inputs(inputs))["benchmark.json"])
    done = compare(tmp_path, "x.json")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
