"""Random backbones take the place of public weights, which tests cannot download."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from evalsuite import weights


@pytest.fixture(scope="session")
def random_backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """File and SHA-256 of each."""
    import torch
    from torchvision import models

    folder, files = tmp_path_factory.mktemp("weights"), {}
    for name in ("alexnet", "vgg16"):
        torch.manual_seed(0)
        with torch.device("meta"):
            layout = getattr(models, name)(weights=None).features.state_dict()
        state = {f"features.{key}": 0.05 * torch.randn(tensor.shape) for key, tensor in layout.items()}
        path = folder / weights.PUBLIC[name].filename
        torch.save(state, path)
        files[name] = path, hashlib.sha256(path.read_bytes()).hexdigest()
    return files


@pytest.fixture(autouse=True)
def _pinned(random_backbones: dict[str, tuple[Path, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (path, digest) in random_backbones.items():
        monkeypatch.setenv("EVALSUITE_WEIGHTS", str(path.parent))
        monkeypatch.setitem(weights.PUBLIC, name, replace(weights.PUBLIC[name], sha256=digest))
