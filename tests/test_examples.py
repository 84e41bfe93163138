"""Everything the project shows is tried: shipped suites, README commands, code blocks and links."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from evalsuite.metrics.contract import FeatureInputs
from evalsuite.records import FeatureSet
from evalsuite.suite.load import load_suite
from tests.conftest import ROOT, call_evalsuite

SUITES = sorted((ROOT / "suites").glob("*.yaml"))
PAGES = [path for pattern in ("*.md", "docs/**/*.md") for path in sorted(ROOT.glob(pattern))]
SMALL = ("--samples", "64", "--profile", "ci")
"""What makes a run quick; a record of it has all the parts that a whole one has."""

DECIDED = frozenset({0})
JUDGED = frozenset({0, 1, 3})
"""Exit codes of a run that went well; with so few samples its gates may come out any way."""

COMMANDS: dict[str, tuple[tuple[str, ...], frozenset[int]]] = {
    "evalsuite init my-suite.yaml": ((), DECIDED),
    "evalsuite validate my-suite.yaml": ((), DECIDED),
    "evalsuite plan my-suite.yaml": ((), DECIDED),
    "evalsuite run my-suite.yaml": (SMALL, JUDGED),
    "evalsuite list metrics": ((), DECIDED),
    "evalsuite runs latest": ((), DECIDED),
    "evalsuite compare latest": ((), DECIDED),
    "evalsuite gate latest": ((), JUDGED),
    "evalsuite report latest": ((), DECIDED),
    "evalsuite doctor": ((), DECIDED),
}
"""README commands with what the test adds to them and the exit codes it expects; the test runs them in this order."""


def blocks(page: Path, language: str) -> list[str]:
    """Fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def readme_commands() -> list[str]:
    return [line for block in blocks(ROOT / "README.md", "bash") for line in block.splitlines() if line]


def test_every_readme_command_is_tested() -> None:
    """Those of ``make`` are run by continuous integration, the others by the test below."""
    made = [command for command in readme_commands() if command.startswith("make ")]
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert [command for command in made if not re.search(rf"^{command}\b", ci, re.MULTILINE)] == []
    assert [command for command in readme_commands() if command not in made] == list(COMMANDS)


@pytest.mark.slow
def test_readme_commands_and_code_work(tmp_path: Path) -> None:
    for command, (more, codes) in COMMANDS.items():
        done = call_evalsuite(*command.split()[1:], *more, cwd=tmp_path, timeout_s=600)
        assert done.returncode in codes, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    [code] = blocks(ROOT / "README.md", "python")
    small = code.replace("samples=200", 'samples=64, profile="ci"')
    assert small != code
    done = subprocess.run(
        [sys.executable, "-c", small],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "fid" in done.stdout


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_shipped_suites_are_valid(path: Path) -> None:
    """Each has the name of its file; but one has that of the suite whose baseline it is compared with."""
    assert load_suite(path).suite == {"regression": "quickstart"}.get(path.stem, path.stem)


@pytest.mark.slow
def test_the_suite_of_tiny_pipelines_runs(tmp_path: Path) -> None:
    """As its head says: first the pipelines are made. (The quickstart is run whole, by continuous integration.)"""
    script, suite = (tmp_path / name for name in ("tiny_pipelines.py", "diffusers-tiny.yaml"))
    for file in (script, suite):
        file.write_bytes((ROOT / "suites" / file.name).read_bytes())
    names = ("stable-diffusion", "stable-diffusion-lcm-lora", "stable-diffusion-xl")
    subprocess.run([sys.executable, script, tmp_path / "tiny-pipelines", *names], check=True, capture_output=True)
    chosen = ("--only", "model=teacher,model=one-step")
    done = call_evalsuite("run", suite, *SMALL, *chosen, "--json", cwd=tmp_path, timeout_s=900)
    assert done.returncode in JUDGED, done.stderr
    ended = json.loads(done.stdout)
    measured = {(one["model"], one["name"]) for one in ended["measurements"] if one["slice"] == "all"}
    for model in ("teacher", "one-step"):
        assert {(model, "vendi"), (model, "latency_p50"), (model, "throughput")} <= measured
        assert ((model, "psnr") in measured) == (model != "teacher")
    assert {one["kind"] for one in ended["missing"]} == {"skipped", "unavailable"}
    assert "challenge=counting" in {one["slice"] for one in ended["measurements"]}


@pytest.mark.slow
def test_the_hardware_suite_runs(tmp_path: Path) -> None:
    """One model, on a target that is here and on one that may not be."""
    chosen = ("--only", "model=student-1step,target=cpu-int8,target=cuda")
    done = call_evalsuite(
        "run", ROOT / "suites" / "hardware.yaml", *SMALL, *chosen, "--json", cwd=tmp_path, timeout_s=900
    )
    assert done.returncode in JUDGED, done.stderr
    ended = json.loads(done.stdout)
    measured = {one["name"] for one in ended["measurements"] if one["case_key"] == "student-1step@cpu-int8/all"}
    assert {"fid", "latency_p50", "throughput", "peak_memory", "cost", "num_parameters", "flops"} <= measured
    assert measured.isdisjoint({"server_latency_p90", "deadline_misses", "cold_start"}), "they are for other targets"
    assert {one["kind"] for one in ended["missing"] if one["target"] == "cpu-int8"} == {"skipped"}
    assert {one["kind"] for one in ended["missing"] if one["target"] == "cuda"} <= {"unavailable"}
    report = tmp_path / next(iter((tmp_path / "runs").iterdir())) / "report"
    assert (report / "benchmark.json").is_file()
    tradeoffs = json.loads((report / "record.json").read_text("utf-8"))["tradeoffs"]
    assert {front["price"] for front in tradeoffs["fronts"]} == {"latency_p50", "peak_memory", "cost"}
    assert {choice["target"] for choice in tradeoffs["choices"]} >= {"cpu-int8"}
    assert tradeoffs["curves"] == [{"models": ["teacher-4", "teacher"], "num_steps": [4, 16]}]


def test_the_suite_of_real_pipelines_can_be_planned_without_them(tmp_path: Path) -> None:
    (tmp_path / "coco").mkdir()
    captions = [json.dumps({"prompt": f"{number} boats on a lake"}) for number in range(5000)]
    (tmp_path / "coco" / "captions.jsonl").write_text("\n".join(captions), "utf-8")
    suite = tmp_path / "sdxl-distillation.yaml"
    suite.write_bytes((ROOT / "suites" / suite.name).read_bytes())
    done = call_evalsuite("plan", suite, cwd=tmp_path, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "hub"))
    assert done.returncode == 0, done.stderr
    for name in ("stable-diffusion-xl-base-1.0", "sdxl-turbo", "lcm-lora-sdxl", "SDXL-Lightning"):
        assert f"{name}@" in done.stdout


def test_the_readme_suite_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(blocks(ROOT / "README.md", "yaml")[0], "utf-8")
    assert load_suite(path).gates


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_blocks_can_be_read(page: Path) -> None:
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_metric_in_ten_lines_measures() -> None:
    """CONTRIBUTING's example is a metric: features whose means are known give their mean."""
    namespace: dict[str, Any] = {"__name__": "mean_brightness"}
    exec(blocks(ROOT / "CONTRIBUTING.md", "python")[0], namespace)
    ids = np.arange(4)
    features = np.repeat(np.array([[0.0], [0.5], [0.5], [1.0]], np.float32), 49, axis=1)
    generated = FeatureSet("pixels", "", "", ids, features)
    estimates = namespace["MeanBrightness"]().compute(FeatureInputs(generated, generated, ids))
    assert estimates[""].value == 0.5
    assert estimates[""].n == 4
