"""The action for GitHub: its scripts run here as a runner would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

SUITE = """\
suite: tiny
task: class_conditional
reference: {dataset: fashion-mnist, split: test}
sampling: {num_samples: 20, seed: 0}
models:
  teacher: {role: teacher, adapter: zoo, name: fashion-1step}
targets: {cpu: {device: cpu, threads: 1, batch_size: 20}}
metrics: [class_accuracy]
gates: [{metric: class_accuracy, candidate: teacher, test: limit, min: LIMIT}]
"""


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return content


def step(action: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for one in action["runs"]["steps"] if one.get("name") == name)
    return found  # type: ignore[no-any-return]


def run(action: dict[str, Any], folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The script of the step that runs the suite, with the inputs in its environment."""
    defaults = {key: spec.get("default", "") for key, spec in action["inputs"].items()}
    script = step(action, "Run the suite")
    filled = {
        variable: (defaults | inputs)[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for variable, value in script["env"].items()
        if value.startswith("${{ inputs.")
    }
    environment = {
        **os.environ, **filled,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        "GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }  # fmt: skip
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script["run"]],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(("limit", "code", "level"), [("1%", 0, "notice"), ("100%", 1, "error")])
def test_the_exit_code_the_annotations_and_the_summary_say_how_it_went(
    action: dict[str, Any], tmp_path: Path, limit: str, code: int, level: str
) -> None:
    (tmp_path / "tiny.yaml").write_text(
        SUITE.replace("LIMIT", limit).replace("test: limit, min: 100%", "test: limit, max: 1%")
    )
    done = run(action, tmp_path, suite="tiny.yaml")
    assert done.returncode == code, done.stderr
    assert f"::{level} title=tiny%3A " in done.stdout
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n"
    assert "tiny: " in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "evalsuite-run" / "report" / "index.html").is_file()


@pytest.mark.parametrize(
    ("inputs", "installed"),
    [
        ({}, ["/action", "-c", "/action/constraints.txt"]),
        ({"EXTRAS": "diffusers,onnx"}, ["/action[diffusers,onnx]", "-c", "/action/constraints.txt"]),
        ({"REQUIREMENTS": "my models.txt"}, ["/action", "-r", "my models.txt"]),
    ],
)
def test_what_models_import_is_installed_in_the_versions_of_their_project(
    action: dict[str, Any], tmp_path: Path, inputs: dict[str, str], installed: list[str]
) -> None:
    (tmp_path / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "python").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ACTION": "/action", "EXTRAS": "", "REQUIREMENTS": "", **inputs}
    script = step(action, "Install evalsuite")
    assert set(script["env"]) == set(environment) - {"PATH"}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script["run"]],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["-m", "pip", "install", "--quiet", *installed], done.stderr


def test_a_suite_with_a_mistake_is_not_judged(action: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SUITE)
    done = run(action, tmp_path, suite="tiny.yaml", samples="10")
    assert done.returncode == 2
    assert "LIMIT" in done.stderr
    assert "::" not in done.stdout


def test_inputs_reach_scripts_by_the_environment_alone(action: dict[str, Any]) -> None:
    """Written into a script, an input could be a command of its own."""
    for one in action["runs"]["steps"]:
        assert "${{" not in one.get("run", "")


def test_every_input_is_used_and_said(action: dict[str, Any]) -> None:
    used = str(action["runs"])
    for name, spec in action["inputs"].items():
        assert f"inputs.{name} " in used
        assert spec["description"]


def test_the_examples_of_the_documentation_are_yaml_that_names_what_there_is() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    blocks = [block.split("```")[0] for block in text.split("```yaml\n")[1:]]
    documents = [yaml.safe_load(block) for block in blocks]
    workflow = next(d for d in documents if "jobs" in d)
    (uses,) = (s for s in workflow["jobs"]["evaluate"]["steps"] if "evalsuite" in s.get("uses", ""))
    assert set(uses["with"]) <= set(yaml.safe_load((ROOT / "action.yml").read_text())["inputs"])
