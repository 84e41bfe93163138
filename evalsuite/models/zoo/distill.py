"""Trajectory distillation: students learn to jump between states of the teacher's deterministic trajectories.

The target of a jump is that of progressive distillation (Salimans and Ho 2022, eq. 8), taken from whole trajectories of
the guided teacher (Meng et al. 2023) instead of halving the steps again and again. With one step this is the endpoint
regression of Luhman and Luhman 2021, "Knowledge Distillation in Iterative Generative Models".
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from evalsuite.models.zoo.fit import FitSettings, LossAt
from evalsuite.models.zoo.network import Denoiser, UNetConfig
from evalsuite.models.zoo.sampler import dpm_solver_2m, guided, karras_sigmas
from evalsuite.noise import initial_noise
from evalsuite.pairing import seeds_of

TEACHER_STEPS = 16
TRAJECTORY_SEED = 20_000
"""Far from the seeds that suites use, so that students are not judged on noise they were trained on."""
CHUNK = 500
BATCH_SIZE = 128


@dataclass(frozen=True)
class StudentRecipe:
    """How one student is made.

    Attributes:
        teacher: whose trajectories it learns.
        grid: positions on the teacher's grid between which the student jumps; from 0 to ``TEACHER_STEPS``.
        width: of its network; one as wide as the teacher starts from the teacher's weights.
        fit: schedule.
    """

    teacher: str
    grid: tuple[int, ...]
    width: int
    fit: FitSettings

    @property
    def sigmas(self) -> list[float]:
        teacher = karras_sigmas(TEACHER_STEPS)
        return [teacher[i] for i in self.grid]


# The grids are denser between sigma 0.3 and 8, where the shape of a garment is decided.
FOUR_STEPS = (0, 6, 9, 12, 16)
RECIPES = {
    "fashion-4step": StudentRecipe("fashion-teacher", FOUR_STEPS, 64, FitSettings(1000, 5e-4, ema_decay=0.995)),
    "fashion-2step": StudentRecipe("fashion-teacher", (0, 9, 16), 64, FitSettings(800, 5e-4, ema_decay=0.995)),
    "fashion-1step": StudentRecipe("fashion-teacher", (0, 16), 64, FitSettings(1500, 5e-4, ema_decay=0.995)),
    "fashion-narrow": StudentRecipe("fashion-teacher", FOUR_STEPS, 32, FitSettings(20_000, 1.5e-3, ema_decay=0.999)),
    "restore-4step": StudentRecipe("restore-teacher", FOUR_STEPS, 64, FitSettings(500, 5e-4, ema_decay=0.99)),
    "restore-1step": StudentRecipe("restore-teacher", (0, 16), 64, FitSettings(1000, 5e-4, ema_decay=0.995)),
}


class Conditions(NamedTuple):
    """What samples are asked for.

    Attributes:
        labels: int64 ``[N]``.
        cond: float ``[N, 1, 28, 28]`` in [-1, 1]; None for models without a conditioning image.
    """

    labels: Tensor
    cond: Tensor | None


ConditionsOf = Callable[[NDArray[np.int64]], Conditions]
"""``ids -> conditions``: what the trajectories of these numbers are asked for."""


class Trajectories(NamedTuple):
    """States of sampling on a grid of noise levels.

    Attributes:
        states: float16 ``[N, len(grid), 1, 28, 28]``; the first is noise of unit variance, since float16 is coarse at
            sigma 80.
        conditions: what each trajectory was asked for.
    """

    states: Tensor
    conditions: Conditions


def write_trajectories(
    teacher: Denoiser, guidance_scale: float, conditions_of: ConditionsOf, count: int, folder: Path
) -> None:
    """Sample ``count`` trajectories of the guided teacher into chunks of 500; finished chunks are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    size, sigmas = teacher.config.image_size, karras_sigmas(TEACHER_STEPS)
    for start in track(range(0, count, CHUNK), description="trajectories"):
        path = folder / f"{start:06d}.safetensors"
        if path.exists():
            continue
        ids = np.arange(start, start + CHUNK)
        labels, cond = conditions_of(ids)
        noise = initial_noise(seeds_of(ids, TRAJECTORY_SEED), (1, size, size))
        parts = []
        for rows in torch.arange(CHUNK).chunk(CHUNK // 50):
            denoise = guided(teacher, labels[rows], guidance_scale, None if cond is None else cond[rows])
            with torch.inference_mode():
                states = list(dpm_solver_2m(denoise, noise[rows], sigmas))
            parts.append(torch.stack([noise[rows], *states], dim=1).half())
        tensors = {"states": torch.cat(parts), "labels": labels}
        save_file(tensors if cond is None else {**tensors, "cond": cond.half()}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)


def read_trajectories(folder: Path, grid: tuple[int, ...]) -> Trajectories:
    """All trajectories of a folder, on a part of the teacher's grid."""
    chunks = [load_file(path) for path in sorted(folder.glob("*.safetensors"))]
    states = torch.cat([chunk["states"][:, list(grid)] for chunk in chunks])
    cond = torch.cat([chunk["cond"] for chunk in chunks]).float() if "cond" in chunks[0] else None
    return Trajectories(states, Conditions(torch.cat([chunk["labels"] for chunk in chunks]), cond))


def make_student(teacher: Denoiser, recipe: StudentRecipe) -> Denoiser:
    """A copy of the teacher, or a new narrower network."""
    if recipe.width == teacher.config.width:
        return copy.deepcopy(teacher).requires_grad_(True).train()
    torch.manual_seed(recipe.fit.seed)
    return Denoiser(UNetConfig(**{**teacher.config.to_dict(), "width": recipe.width}))


def distillation_loss(trajectories: Trajectories, sigmas: list[float]) -> LossAt:
    """Loss of a jump from state k to state k + 1, with k drawn anew for each sample.

    A first-order jump lands on the next state if the denoiser returns ``(next - r x) / (1 - r)`` with
    ``r = sigma_next / sigma``. The Charbonnier norm keeps edges where a square would blur them.
    """
    levels = torch.tensor(sigmas)
    states, (labels, cond) = trajectories

    def loss_at(net: nn.Module, generator: torch.Generator) -> Tensor:
        ids = torch.randint(len(states), (BATCH_SIZE,), generator=generator)
        k = torch.randint(len(sigmas) - 1, (BATCH_SIZE,), generator=generator)
        x, target = states[ids, k].float(), states[ids, k + 1].float()
        x = torch.where((k == 0)[:, None, None, None], x * levels[0], x)
        sigma, ratio = levels[k], (levels[k + 1] / levels[k])[:, None, None, None]
        with torch.autocast("cpu", torch.bfloat16):
            denoised = net(x, sigma, labels[ids], None if cond is None else cond[ids])
        error = denoised.float() - (target - ratio * x) / (1 - ratio)
        loss: Tensor = (error.square() + 0.03**2).sqrt().mean()
        return loss

    return loss_at
