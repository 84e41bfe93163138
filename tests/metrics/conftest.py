"""Random backbones take the place of public weights, which tests cannot download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from evalsuite import weights


@pytest.fixture(autouse=True, scope="session")
def _random_backbones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import torch
    from torchvision import models

    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALSUITE_WEIGHTS", str(folder))
        for name in ("alexnet", "vgg16"):
            torch.manual_seed(0)
            with torch.device("meta"):
                layout = getattr(models, name)(weights=None).features.state_dict()
            state = {f"features.{key}": 0.05 * torch.randn(tensor.shape) for key, tensor in layout.items()}
            path = folder / weights.PUBLIC[name].filename
            torch.save(state, path)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            patch.setitem(weights.PUBLIC, name, replace(weights.PUBLIC[name], sha256=digest))
        yield
