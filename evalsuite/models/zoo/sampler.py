"""Deterministic samplers for the zoo's denoisers: DPM-Solver++(2M) for the teacher, jumps on a grid for students."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from evalsuite.models.zoo.network import Denoiser

SIGMA_MIN = 0.02
SIGMA_MAX = 80.0
RHO = 7.0

DenoiseStep = Callable[[Tensor, Tensor], Tensor]
"""``(x [B,C,H,W], sigma [B]) -> denoised [B,C,H,W]``."""


def karras_sigmas(num_steps: int) -> list[float]:
    """Noise levels of ``num_steps`` steps, from ``SIGMA_MAX`` down to 0 (Karras et al. 2022, eq. 5).

    Returns:
        ``num_steps + 1`` values; the last is 0.

    Raises:
        ValueError: ``num_steps`` is below 1.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps must be 1 or more, got {num_steps}")
    if num_steps == 1:
        return [SIGMA_MAX, 0.0]
    low, high = SIGMA_MIN ** (1 / RHO), SIGMA_MAX ** (1 / RHO)
    ramp = [(high + i / (num_steps - 1) * (low - high)) ** RHO for i in range(num_steps)]
    return [*ramp, 0.0]


def guided(net: Denoiser, labels: Tensor, guidance_scale: float, cond: Tensor | None = None) -> DenoiseStep:
    """Classifier-free guidance (Ho and Salimans 2022): ``null + scale * (conditional - null)``.

    With scale 1 the network runs once a step, else twice (as one batch of double size).
    """
    if guidance_scale == 1.0:

        def conditional(x: Tensor, sigma: Tensor) -> Tensor:
            denoised: Tensor = net(x, sigma, labels, cond)
            return denoised

        return conditional
    null = torch.full((len(labels),), net.config.num_classes, device=labels.device)
    if labels.dim() == 2:
        null = F.one_hot(null, labels.shape[1]).to(labels.dtype)
    both = torch.cat([labels, null])
    cond_twice = None if cond is None else torch.cat([cond, cond])

    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        with_label, without = net(torch.cat([x, x]), torch.cat([sigma, sigma]), both, cond_twice).chunk(2)
        mixed: Tensor = without + guidance_scale * (with_label - without)
        return mixed

    return denoise


def dpm_solver_2m(denoise: DenoiseStep, noise: Tensor, sigmas: Sequence[float]) -> Iterator[Tensor]:
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2) in sigma space, where alpha is 1.

    Args:
        denoise: the denoiser.
        noise: float ``[B, C, H, W]``, standard normal.
        sigmas: decreasing noise levels; the last is 0.

    Yields:
        float ``[B, C, H, W]``: the state at ``sigmas[1]``, ``sigmas[2]``, ...; the last is the sample.
    """
    x = noise * sigmas[0]
    previous: Tensor | None = None
    for i, (sigma, next_sigma) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, x.new_full((x.shape[0],), sigma))
        direction = denoised
        if previous is not None and next_sigma > 0:
            step = torch.tensor(sigma / next_sigma).log()
            ratio = torch.tensor(sigmas[i - 1] / sigma).log() / step
            direction = denoised + (denoised - previous) / (2 * ratio)
        x = (next_sigma / sigma) * x + (1 - next_sigma / sigma) * direction
        previous = denoised
        yield x


def jump(denoise: DenoiseStep, noise: Tensor, sigmas: Sequence[float]) -> Iterator[Tensor]:
    """First-order steps along a fixed grid, as distilled students take them (Salimans and Ho 2022, with alpha 1).

    Arguments and result as in :func:`dpm_solver_2m`.
    """
    x = noise * sigmas[0]
    for sigma, next_sigma in pairwise(sigmas):
        denoised = denoise(x, x.new_full((x.shape[0],), sigma))
        x = denoised + (next_sigma / sigma) * (x - denoised)
        yield x


SAMPLERS = {"dpm_solver_2m": dpm_solver_2m, "jump": jump}
"""By the name that a checkpoint's header gives."""
