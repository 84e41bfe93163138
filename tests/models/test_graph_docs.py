"""What docs/models shows of exported networks runs as it stands, and names every setting."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from evalsuite.models._graph.ddim import Ddim
from evalsuite.models._graph.declaration import GraphSettings
from evalsuite.models._graph.edm import Edm
from evalsuite.models._graph.flow import Flow
from tests.conftest import ROOT, call_evalsuite
from tests.test_examples import blocks

PAGES = ROOT / "docs" / "models"


@pytest.mark.slow
@pytest.mark.parametrize(("page", "flags"), [("onnx", []), ("torch_export", ["--allow-code"])])
def test_the_suite_of_the_page_runs_and_the_export_makes_the_images_of_its_origin(
    page: str, flags: list[str], tmp_path: Path
) -> None:
    (script,), (suite,) = (blocks(PAGES / f"{page}.md", language) for language in ("python", "yaml"))
    (tmp_path / "export.py").write_text(script, "utf-8")
    (tmp_path / "suite.yaml").write_text(suite, "utf-8")
    exported = subprocess.run(
        [sys.executable, "export.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert exported.returncode == 0, exported.stderr
    done = call_evalsuite(
        "run", "suite.yaml", "--samples", "20", "--profile", "ci", "--json", *flags, cwd=tmp_path, timeout_s=300
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert not record["missing"]
    values = {(one["model"], one["metric"]): one["value"] for one in record["measurements"]}
    assert values["student", "kid"] == pytest.approx(values["original", "kid"], rel=1e-3)
    assert values["student", "psnr"] == pytest.approx(values["original", "psnr"], rel=1e-3)


def test_programs_are_refused_without_allow_code(tmp_path: Path) -> None:
    (suite,) = blocks(PAGES / "torch_export.md", "yaml")
    (tmp_path / "suite.yaml").write_text(suite, "utf-8")
    done = call_evalsuite("run", "suite.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "--allow-code" in done.stderr


def test_the_script_is_short() -> None:
    for page in ("onnx", "torch_export"):
        (script,) = blocks(PAGES / f"{page}.md", "python")
        assert len(script.splitlines()) <= 20


@pytest.mark.parametrize(
    ("heading", "settings"),
    [("## Settings", GraphSettings), ("### `edm`", Edm), ("### `ddim`", Ddim), ("### `flow`", Flow)],
)
def test_every_setting_is_in_its_table(heading: str, settings: type) -> None:
    text = (PAGES / "onnx.md").read_text("utf-8")
    section = re.split(r"^##", text[text.index(heading) + len(heading) :], maxsplit=1, flags=re.MULTILINE)[0]
    first_cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    assert re.findall(r"`(\w+)`", " ".join(first_cells)) == list(settings.model_fields)
