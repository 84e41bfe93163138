"""Trajectory distillation: students learn to jump between states of the teacher's deterministic trajectories.

The target of a jump is that of progressive distillation (Salimans and Ho 2022, eq. 8), taken from whole trajectories of
the guided teacher (Meng et al. 2023) instead of halving the steps again and again. With one step this is the endpoint
regression of Luhman and Luhman 2021, "Knowledge Distillation in Iterative Generative Models".
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from evalsuite.models.zoo.fit import FitSettings, LossAt
from evalsuite.models.zoo.network import Denoiser, UNetConfig
from evalsuite.models.zoo.sampler import dpm_solver_2m, guided, initial_noise, karras_sigmas
from evalsuite.pairing import labels_of, seeds_of

TEACHER_STEPS = 16
TRAJECTORY_SEED = 20_000
"""Far from the seeds that suites use, so that students are not judged on noise they were trained on."""
CHUNK = 500
BATCH_SIZE = 128


@dataclass(frozen=True)
class StudentRecipe:
    """How one student is made.

    Attributes:
        grid: positions on the teacher's grid between which the student jumps; from 0 to ``TEACHER_STEPS``.
        width: of its network; one as wide as the teacher starts from the teacher's weights.
        fit: schedule.
    """

    grid: tuple[int, ...]
    width: int
    fit: FitSettings

    @property
    def sigmas(self) -> list[float]:
        teacher = karras_sigmas(TEACHER_STEPS)
        return [teacher[i] for i in self.grid]


# The grids are denser between sigma 0.3 and 8, where the shape of a garment is decided.
RECIPES = {
    "fashion-4step": StudentRecipe((0, 6, 9, 12, 16), 64, FitSettings(steps=1000, learning_rate=5e-4, ema_decay=0.995)),
    "fashion-2step": StudentRecipe((0, 9, 16), 64, FitSettings(steps=800, learning_rate=5e-4, ema_decay=0.995)),
    "fashion-1step": StudentRecipe((0, 16), 64, FitSettings(steps=1500, learning_rate=5e-4, ema_decay=0.995)),
    "fashion-narrow": StudentRecipe(
        (0, 6, 9, 12, 16), 32, FitSettings(steps=20_000, learning_rate=1.5e-3, ema_decay=0.999)
    ),
}


def write_trajectories(teacher: Denoiser, guidance_scale: float, count: int, folder: Path) -> None:
    """Sample ``count`` trajectories of the guided teacher into chunks of 500; finished chunks are kept.

    A chunk holds ``states`` float16 ``[500, 17, 1, 28, 28]``; the first state is drawn again from the seed when it is
    read, since float16 is coarse at sigma 80.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size, sigmas = teacher.config.image_size, karras_sigmas(TEACHER_STEPS)
    for start in track(range(0, count, CHUNK), description="trajectories"):
        path = folder / f"{start:06d}.safetensors"
        if path.exists():
            continue
        noise, labels = _start_of(np.arange(start, start + CHUNK), teacher.config.num_classes, size)
        parts = []
        for rows in torch.arange(CHUNK).chunk(CHUNK // 50):
            x, label = noise[rows], labels[rows]
            with torch.inference_mode():
                states = list(dpm_solver_2m(guided(teacher, label, guidance_scale), x, sigmas))
            parts.append(torch.stack([torch.zeros_like(x), *states], dim=1).half())
        save_file({"states": torch.cat(parts)}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)


def _start_of(ids: np.ndarray[tuple[int], np.dtype[np.int64]], num_classes: int, size: int) -> tuple[Tensor, Tensor]:
    noise = initial_noise(seeds_of(ids, TRAJECTORY_SEED).tolist(), (1, size, size))
    return noise, torch.from_numpy(labels_of(ids, num_classes))


def read_trajectories(folder: Path, grid: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """States on a grid, float16 ``[N, len(grid), 1, 28, 28]`` with the first at sigma 1, and labels int64 ``[N]``."""
    states, labels = zip(*_chunks(folder, grid), strict=True)
    return torch.cat(states), torch.cat(labels)


def _chunks(folder: Path, grid: tuple[int, ...]) -> Iterator[tuple[Tensor, Tensor]]:
    for path in sorted(folder.glob("*.safetensors")):
        chunk = load_file(path)["states"][:, list(grid)]
        start = int(path.stem)
        noise, labels = _start_of(np.arange(start, start + len(chunk)), 10, chunk.shape[-1])
        chunk[:, 0] = noise.half()
        yield chunk, labels


def make_student(teacher: Denoiser, recipe: StudentRecipe) -> Denoiser:
    """A copy of the teacher, or a new narrower network."""
    if recipe.width == teacher.config.width:
        return copy.deepcopy(teacher).requires_grad_(True).train()
    torch.manual_seed(recipe.fit.seed)
    return Denoiser(UNetConfig(**{**teacher.config.to_dict(), "width": recipe.width}))


def distillation_loss(states: Tensor, labels: Tensor, sigmas: list[float]) -> LossAt:
    """Loss of a jump from state k to state k + 1, with k drawn anew for each sample.

    A first-order jump lands on the next state if the denoiser returns ``(next - r x) / (1 - r)`` with
    ``r = sigma_next / sigma``. The Charbonnier norm keeps edges where a square would blur them.
    """
    levels = torch.tensor(sigmas)

    def loss_at(net: nn.Module, generator: torch.Generator) -> Tensor:
        ids = torch.randint(len(states), (BATCH_SIZE,), generator=generator)
        k = torch.randint(len(sigmas) - 1, (BATCH_SIZE,), generator=generator)
        x, target = states[ids, k].float(), states[ids, k + 1].float()
        x = torch.where((k == 0)[:, None, None, None], x * levels[0], x)
        sigma, ratio = levels[k], (levels[k + 1] / levels[k])[:, None, None, None]
        with torch.autocast("cpu", torch.bfloat16):
            denoised = net(x, sigma, labels[ids])
        error = denoised.float() - (target - ratio * x) / (1 - ratio)
        loss: Tensor = (error.square() + 0.03**2).sqrt().mean()
        return loss

    return loss_at
