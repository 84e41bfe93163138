"""The zoo's training loop: fixed step count, cosine schedule, moving average of the weights, exact resume."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)

LossAt = Callable[[nn.Module, torch.Generator], Tensor]
"""``(network, generator) -> scalar loss``. All randomness comes from the generator, which is seeded by the step."""


@dataclass(frozen=True)
class FitSettings:
    """How long and how fast to train.

    Attributes:
        steps: optimiser steps; fixed, so that a run can be repeated.
        learning_rate: peak of the cosine schedule.
        warmup: steps of linear warm-up.
        ema_decay: decay of the moving average of the weights.
        seed: seed of the data order and the noise.
        save_every: steps between two checkpoints.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup: int = 200
    ema_decay: float = 0.9995
    weight_decay: float = 0.0
    seed: int = 0
    save_every: int = 250


def learning_rate_at(step: int, settings: FitSettings) -> float:
    """Linear warm-up, then a cosine to 0."""
    if step < settings.warmup:
        return settings.learning_rate * (step + 1) / settings.warmup
    progress = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def fit(name: str, net: Net, loss_at: LossAt, settings: FitSettings, work_dir: Path) -> Net:
    """Train ``net`` and return the moving average of its weights.

    A checkpoint in ``work_dir`` is continued from; the result is the same as that of an unbroken run up to the
    floating-point order of the machine.

    Args:
        name: names the checkpoint and the progress bar.
        net: the network, changed in place.
        loss_at: the loss of one step.
        settings: schedule.
        work_dir: where ``<name>.checkpoint`` is kept.
    """
    average = copy.deepcopy(net).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    work_dir.mkdir(parents=True, exist_ok=True)
    path = work_dir / f"{name}.checkpoint"
    start = _resume(path, net, average, optimizer)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, refresh_per_second=0.2) as progress:
        bar = progress.add_task(name, total=settings.steps, completed=start)
        for step in range(start, settings.steps):
            generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, settings)
            optimizer.zero_grad(set_to_none=True)
            with torch.enable_grad():  # a target that was used before in this process turns gradients off
                loss = loss_at(net, generator)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            _update_average(average, net, min(settings.ema_decay, (1 + step) / (10 + step)))
            progress.update(bar, advance=1, description=f"{name} loss {loss.item():.4f}")
            if (step + 1) % settings.save_every == 0 or step + 1 == settings.steps:
                _save(path, net, average, optimizer, step + 1)
                if not progress.console.is_terminal:
                    progress.console.print(f"{name}: {step + 1} of {settings.steps}, loss {loss.item():.4f}")
    return average


@torch.no_grad()
def _update_average(average: nn.Module, net: nn.Module, decay: float) -> None:
    for averaged, parameter in zip(average.parameters(), net.parameters(), strict=True):
        averaged.lerp_(parameter, 1 - decay)
    for kept, buffer in zip(average.buffers(), net.buffers(), strict=True):
        kept.copy_(buffer)


def _save(path: Path, net: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    weights = {"net": net.state_dict(), "average": average.state_dict()}
    state = {**weights, "optimizer": optimizer.state_dict(), "step": step}
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def _resume(path: Path, net: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
