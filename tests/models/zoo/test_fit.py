"""The training loop: a run that is interrupted and resumed ends where an unbroken one ends."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from evalsuite.models.zoo.fit import FitSettings, fit, learning_rate_at

SETTINGS = FitSettings(steps=40, learning_rate=0.1, warmup=4, ema_decay=0.9, save_every=10)


def loss_at(net: nn.Module, generator: torch.Generator) -> torch.Tensor:
    x = torch.randn(16, 3, generator=generator)
    return (net(x) - x.sum(dim=1, keepdim=True)).square().mean()


def make_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


class Stopped(Exception):
    """Stands for the end of the process."""


def test_resumed_training_equals_unbroken_training(tmp_path):
    unbroken = fit("net", make_net(), loss_at, SETTINGS, tmp_path / "unbroken")
    calls = 0

    def stopping(net: nn.Module, generator: torch.Generator) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 25:
            raise Stopped
        return loss_at(net, generator)

    with pytest.raises(Stopped):
        fit("net", make_net(), stopping, SETTINGS, tmp_path / "broken")
    resumed = fit("net", make_net(), loss_at, SETTINGS, tmp_path / "broken")
    for a, b in zip(unbroken.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_learns(tmp_path):
    trained = fit("net", make_net(), loss_at, SETTINGS, tmp_path)
    assert torch.allclose(trained.weight, torch.ones(1, 3), atol=0.2)


def test_learning_rate_rises_then_falls_to_zero():
    rates = [learning_rate_at(step, SETTINGS) for step in range(41)]
    assert max(rates) == pytest.approx(0.1)
    assert rates[0] < rates[3]
    assert rates[40] == pytest.approx(0.0, abs=1e-12)
