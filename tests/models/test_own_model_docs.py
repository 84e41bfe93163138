"""What docs/model.md, docs/models/python.md and docs/models/image_folder.md show runs as it stands."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evalsuite.models.image_folder import ImageFolder
from evalsuite.models.python import Python
from evalsuite.pipeline.contract_check.claims import CHECKS
from evalsuite.suite.load import load_suite
from tests.conftest import ROOT, Command
from tests.test_examples import blocks

PAGES = ROOT / "docs" / "models"
SMALL = ("--samples", "40", "--profile", "ci", "--json")


def run_script(code: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def words_of(page: Path) -> list[list[str]]:
    """The commands of a page, without the word evalsuite."""
    return [shlex.split(line)[1:] for block in blocks(page, "bash") for line in block.splitlines()]


def first_cells(page: Path, header: str) -> list[str]:
    """Names in the first column of the table with this header."""
    table = page.read_text("utf-8").partition(f"| {header} |")[2].partition("\n\n")[0]
    return re.findall(r"`([^`]+)`", " ".join(row.split("|")[1] for row in table.splitlines()[2:]))


@pytest.mark.slow
def test_the_five_minutes(evalsuite: Command) -> None:
    init, check, run = words_of(ROOT / "docs" / "model.md")
    assert evalsuite(*init).returncode == 0
    assert evalsuite(*check).returncode == 0
    done = evalsuite(*run, *SMALL, timeout_s=300)
    assert done.returncode == 0, done.stderr
    assert {one["model"] for one in json.loads(done.stdout)["measurements"]} == {"teacher", "student"}


@pytest.mark.slow
def test_the_suite_of_the_page_on_python(evalsuite: Command, tmp_path: Path) -> None:
    page = PAGES / "python.md"
    (tmp_path / "my_model.py").write_text(blocks(page, "python")[1], "utf-8")
    (tmp_path / "suite.yaml").write_text(blocks(page, "yaml")[0], "utf-8")
    check, run = words_of(page)
    checked = evalsuite(*check)
    assert (checked.returncode, "warning" in checked.stdout) == (0, False), checked.stdout + checked.stderr
    assert evalsuite("check-model", "my_model.py:bars", "--allow-code").returncode == 0
    done = evalsuite(*run, *SMALL, timeout_s=300)
    assert done.returncode == 0, done.stderr
    measured = {(one["model"], one["slice"]) for one in json.loads(done.stdout)["measurements"]}
    assert measured == {("bars", "all"), ("network", "all"), ("network", "latent.scale=1.1")}


def test_the_line_of_the_contract() -> None:
    """Each sample's noise is the same alone and in a batch."""
    import torch

    def noise(seeds: list[int]) -> torch.Tensor:
        names = {"torch": torch, "shape": (2, 8), "seeds": seeds}
        exec(blocks(PAGES / "python.md", "python")[0], names)
        found = names["noise"]
        assert isinstance(found, torch.Tensor)
        return found

    assert torch.equal(noise([3, 2**62])[1:], noise([2**62]))


@pytest.mark.slow
def test_the_suite_of_the_page_on_images(evalsuite: Command, tmp_path: Path) -> None:
    page = PAGES / "image_folder.md"
    run_script(blocks(page, "python")[0], tmp_path)
    (tmp_path / "suite.yaml").write_text(blocks(page, "yaml")[0], "utf-8")
    done = evalsuite("run", "suite.yaml", *SMALL, timeout_s=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not found["missing"]
    values = {(one["model"], one["metric"]): one["value"] for one in found["measurements"]}
    assert values["noisier", "psnr"] > values["noisiest", "psnr"]
    assert evalsuite("check-model", "suite.yaml", "noisier").returncode == 0


def test_arrays_are_put_in_order_as_the_page_says(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 3, 50)
    images = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (50, 8, 8, 3))
    np.savez(tmp_path / "samples.npz", images, labels)
    run_script(blocks(PAGES / "image_folder.md", "python")[1], tmp_path)
    ordered = ImageFolder(path=tmp_path / "ordered.npz", condition="class", seeded=False)
    assert ordered.capabilities().max_samples == 3 * np.bincount(labels).min()
    with np.load(tmp_path / "ordered.npz") as file:
        assert np.array_equal(file["arr_0"][:, 0, 0, 0], file["arr_1"])


@pytest.mark.parametrize(("page", "settings"), [("python.md", Python), ("image_folder.md", ImageFolder)])
def test_every_setting_is_in_its_table(page: str, settings: type[Python] | type[ImageFolder]) -> None:
    documented = first_cells(PAGES / page, "setting | default | what it says")
    assert sorted(documented) == sorted(settings.model_fields)


def test_every_check_is_in_its_table() -> None:
    assert sorted(first_cells(PAGES / "python.md", "check | claim")) == sorted(CHECKS)


def test_the_model_that_the_page_checks_is_there() -> None:
    (path, model), *_ = re.findall(r"check-model (suites/\S+) ([a-z0-9-]+)", (PAGES / "python.md").read_text("utf-8"))
    assert model in load_suite(ROOT / path).models
