"""Another package adds a metric and a model adapter by its entry points alone, and its users write their names."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from evalsuite.records import RunRecord
from tests.conftest import ROOT

PACKAGE = Path(__file__).parent / "third_party"

SUITE = """
suite: colours
task: text_to_image
prompts: {set: text_lines, path: prompts.txt}
sampling: {num_samples: 40}
models:
  teacher: {role: teacher, adapter: painter, roughness: 5}
  student: {role: student, adapter: painter, roughness: 60}
targets:
  cpu: {device: cpu, threads: 1}
metrics: [colour_agreement, psnr]
gates:
  - {metric: colour_agreement, candidate: student, against: teacher, test: non_inferiority, margin: {absolute: 0.1}}
report: {formats: [json]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an installation leaves: the package's metadata with its entry points; and a suite beside it."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    information = tmp_path / "site" / f"evalsuite_colours-{project['version']}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    entry_points = configparser.ConfigParser()
    entry_points.read_dict(project["entry-points"])
    with (information / "entry_points.txt").open("w") as file:
        entry_points.write(file)
    (tmp_path / "suite.yaml").write_text(SUITE)
    colours = ("red", "green", "blue", "yellow")
    (tmp_path / "prompts.txt").write_text("".join(f"{i} {colours[i % 4]} balloons\n" for i in range(40)))
    return tmp_path


def evalsuite(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (folder / "site", PACKAGE, ROOT)))
    return subprocess.run(
        [sys.executable, "-m", "evalsuite", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "EVALSUITE_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_suite_of_another_packages_metric_and_model(folder: Path) -> None:
    ran = evalsuite(folder, "run", "suite.yaml", "--out", "run", "--quiet")
    assert ran.returncode == 0, ran.stderr
    record = RunRecord.load(folder / "run")
    values = {m.model: m for m in record.measurements if m.name == "colour_agreement"}
    assert values["teacher"].value > values["student"].value > 0.9
    assert all(m.interval is not None and m.n == 40 for m in values.values())
    assert not record.missing


def test_they_are_listed_with_the_others(folder: Path) -> None:
    assert "colour_agreement" in evalsuite(folder, "list", "metrics").stdout
    assert "painter" in evalsuite(folder, "list", "models").stdout
