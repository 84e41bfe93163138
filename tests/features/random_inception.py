"""Inception-v3 weights in the published layout, random, whose activations neither die nor explode on their way."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evalsuite import weights
from evalsuite.features._inception_network import InceptionNetwork


def pictures(size: int, count: int, random: np.random.Generator) -> np.ndarray:
    """Squares of colour with noise: uint8 ``[count, 3, size, size]``."""
    side = -(-size // 7)
    coarse = random.integers(0, 256, (count, 3, 7, 7)).repeat(side, axis=2).repeat(side, axis=3)
    noise = random.normal(0, 20, (count, 3, size, size))
    return (coarse[..., :size, :size] + noise).clip(0, 255).astype(np.uint8)


def save_weights(folder: Path) -> Path:
    """Write such weights under the name of the published file; its path."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    network = InceptionNetwork()
    for name, parameter in network.named_parameters():
        if name.endswith("conv.weight"):
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu")
        elif name.endswith("bn.bias"):
            torch.nn.init.uniform_(parameter, 0, 0.5)
    network.train()
    with torch.no_grad():  # settles the running statistics
        for _ in range(8):
            network(torch.from_numpy((pictures(299, 4, random).astype(np.float32) - 128) / 128))
    state = {name: tensor for name, tensor in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    path = folder / weights.PUBLIC["inception-v3"].filename
    torch.save(state, path)
    return path


def pin(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these weights take the place of the published ones."""
    public = weights.PUBLIC["inception-v3"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(path.parent))
    monkeypatch.setitem(weights.PUBLIC, "inception-v3", replace(public, sha256=digest))
