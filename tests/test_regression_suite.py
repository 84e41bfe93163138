"""The project gates itself: planted defects of the zoo fail the gates of ``suites/regression.yaml``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT

MODEL = "student-1step"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that shares its files with the original until one is replaced."""
    shutil.copytree(ROOT / "evalsuite", tmp_path / "evalsuite", copy_function=os.link)
    for folder in ("suites", "baselines"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features of the reference, which defects of models leave as they are."""
    return tmp_path_factory.mktemp("cache")


def outcomes(folder: Path, cache: Path) -> tuple[int, list[str], str]:
    """Exit code, outcomes of the gates, and all that was said, with the package that lies in the folder."""
    done = subprocess.run(
        [sys.executable, "-m", "evalsuite", "run", "suites/regression.yaml", "--only", f"model={MODEL}", "--json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "EVALSUITE_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    verdicts = json.loads(done.stdout)["verdicts"] if done.stdout.startswith("{") else []
    return done.returncode, [verdict["outcome"] for verdict in verdicts], done.stdout + done.stderr


def replaced(path: Path, change: Callable[[str], str]) -> None:
    """Write a changed file in place of the shared one."""
    text = path.read_text("utf-8")
    changed = change(text)
    assert changed != text, "the defect could not be planted"
    path.unlink()
    path.write_text(changed, "utf-8")


def with_noise(path: Path) -> None:
    """Weights with noise of a tenth of their spread."""
    from safetensors import safe_open
    from safetensors.numpy import load_file, save

    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    random = np.random.default_rng(0)
    weights = {
        name: (tensor + 0.1 * tensor.std() * random.normal(size=tensor.shape)).astype(tensor.dtype)
        for name, tensor in load_file(path).items()
    }
    path.unlink()
    path.write_bytes(save(weights, metadata))


@pytest.mark.slow
def test_a_corrupted_checkpoint_fails(copy: Path, cache: Path) -> None:
    with_noise(copy / "evalsuite/models/zoo/weights/fashion-1step.safetensors")
    code, found, said = outcomes(copy, cache)
    assert code == 1, said
    assert found[0] == "fail"


@pytest.mark.slow
def test_a_wrong_grid_of_the_sampler_fails(copy: Path, cache: Path) -> None:
    replaced(
        copy / "evalsuite/models/zoo/__init__.py",
        lambda text: text.replace("header.sigmas or", "[1.3 * sigma for sigma in header.sigmas] or"),
    )
    code, found, said = outcomes(copy, cache)
    assert code == 1, said
    assert found[0] == "fail"


@pytest.mark.slow
def test_another_preprocessing_fails(copy: Path) -> None:
    network = copy / "evalsuite/features/_fashion_cnn_network.py"
    replaced(network, lambda text: text.replace("/ 127.5 - 1", "/ 255"))
    code, found, said = outcomes(copy, copy / "cache")
    assert code == 1, said
    assert found[0] == "fail"
