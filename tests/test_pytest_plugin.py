"""``pytest --evalsuite``: gates as tests, in a pytest of its own on a real suite."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import ROOT
from tests.pipeline.user_models import model, suite_of

PSNR = {"name": "psnr", "metric": "psnr"}
FLAGS = ("-p", "no:cacheprovider", "-o", "addopts=", "--evalsuite-allow-code")


def write_suite(folder: Path, gates: list[dict[str, Any]], student: str = "uneven", **more: Any) -> Path:
    models = {"teacher": model(folder, "good", "teacher"), "student": model(folder, student)}
    suite = suite_of(models, num_samples=20, metrics=[PSNR], **more)
    content = suite.model_dump(mode="json", exclude={"gates"})
    content["gates"] = [{"metric": "psnr", "candidate": "student", **gate} for gate in gates]
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(_as_written(content)))
    return path


def _as_written(content: dict[str, Any]) -> dict[str, Any]:
    """The resolved form in the shape of a file: settings beside what chooses the plug-in."""

    def flat(entry: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entry.items() if key != "settings"} | entry.get("settings", {})

    content["reference"] = flat(content["reference"])
    for section in ("models", "targets"):
        content[section] = {name: flat(entry) for name, entry in content[section].items()}
    content["metrics"] = ["psnr"]
    return {key: value for key, value in content.items() if value not in (None, [], "")}


def called(folder: Path, suite: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *FLAGS, "--evalsuite", str(suite), *arguments]
    return subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120)


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "EVALSUITE_CACHE": str(folder / "cache")}


def limit(**ends: float) -> dict[str, Any]:
    return {"test": "limit", **ends}


def test_each_gate_is_a_test_with_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_other(): assert False\n")
    suite = write_suite(tmp_path, [limit(min=1), limit(min=2, max=3)])
    done = called(tmp_path, suite, "-v", "--junitxml=out.xml")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed" in done.stdout
    assert "small.yaml::psnr of student@cpu: limit, min 1 PASSED" in done.stdout
    assert "PASS: psnr of student@cpu: limit, min 1: psnr of student is" in done.stdout
    assert "FAIL: psnr of student@cpu: limit, min 2, max 3: psnr of student is" in done.stdout
    assert "report: runs" in done.stdout
    assert "Traceback" not in done.stdout
    assert "test_other" not in done.stdout, "no file was named, so that the suite is all there is"
    cases = list(ElementTree.parse(tmp_path / "out.xml").iter("testcase"))
    assert [case.get("name") for case in cases][-1] == "every cell ran"


def test_files_that_are_named_run_beside_it(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    done = called(tmp_path, write_suite(tmp_path, [limit(min=1)]), "test_other.py")
    assert "3 passed" in done.stdout


@pytest.mark.parametrize(("policy", "outcome"), [("warn", "1 passed, 1 skipped"), ("fail", "1 failed, 1 passed")])
def test_an_open_gate_is_what_the_suite_says(tmp_path: Path, policy: str, outcome: str) -> None:
    # Two samples can bear out nothing.
    suite = write_suite(tmp_path, [limit(min=40)], student="uneven", on_inconclusive=policy)
    done = called(tmp_path, suite, "--evalsuite-samples", "2")
    assert outcome in done.stdout, done.stdout


def test_a_cell_that_fails_is_a_failed_test(tmp_path: Path) -> None:
    done = called(tmp_path, write_suite(tmp_path, [limit(min=1)], student="broken"))
    assert "2 failed" in done.stdout
    assert "psnr of student@cpu/all failed: " in done.stdout
    assert "a bug" in done.stdout
    assert "missing: There is no psnr of student@cpu/all" in done.stdout


def test_a_suite_that_cannot_run_is_tried_once(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, [limit(min=1), limit(min=2)])
    done = called(tmp_path, suite, "--evalsuite-samples", "0")
    assert "3 failed" in done.stdout
    assert done.stdout.count("--samples 0: found 0, expected at least 1") >= 3
    assert "Traceback" not in done.stdout


def test_ctrl_c_ends_pytest_and_not_only_the_run(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, [limit(min=1), limit(min=2)], student="hangs")
    command = [sys.executable, "-m", "pytest", *FLAGS, "--evalsuite", str(suite)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        end = time.monotonic() + 60
        while not any('"generate"' in log.read_text("utf-8") for log in tmp_path.glob("runs/*/events.jsonl")):
            assert time.monotonic() < end
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "no tests ran" in said
    assert "To go on from there, run again: evalsuite run" in said


def test_a_suite_with_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("suite: bad\ntask: portraits\n")
    done = called(tmp_path, path)
    assert done.returncode == 2
    assert "bad.yaml:2:7: task: found 'portraits'" in done.stdout
    assert "Traceback" not in done.stdout
