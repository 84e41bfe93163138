"""The samplers against closed forms: for Gaussian data the denoiser and the probability flow are known."""

from __future__ import annotations

import math

import pytest
import torch

from evalsuite.models.zoo.network import SIGMA_DATA
from evalsuite.models.zoo.sampler import SIGMA_MAX, SIGMA_MIN, dpm_solver_2m, jump, karras_sigmas
from evalsuite.noise import initial_noise


def gaussian_denoiser(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """E[clean | x] for data ~ N(0, SIGMA_DATA^2)."""
    return x * (SIGMA_DATA**2 / (SIGMA_DATA**2 + sigma**2))[:, None, None, None]


def exact_end(noise: torch.Tensor) -> torch.Tensor:
    """The probability flow keeps x / sqrt(sigma_data^2 + sigma^2) constant."""
    return noise * SIGMA_MAX * SIGMA_DATA / math.sqrt(SIGMA_DATA**2 + SIGMA_MAX**2)


def end_of(sampler, noise: torch.Tensor, num_steps: int) -> torch.Tensor:
    return list(sampler(gaussian_denoiser, noise, karras_sigmas(num_steps)))[-1]


def test_grid_runs_from_the_largest_sigma_to_zero():
    sigmas = karras_sigmas(16)
    assert len(sigmas) == 17
    assert sigmas[0] == pytest.approx(SIGMA_MAX)
    assert sigmas[-2] == pytest.approx(SIGMA_MIN)
    assert sigmas[-1] == 0.0
    assert sigmas == sorted(sigmas, reverse=True)


def test_grid_of_no_steps_is_refused():
    with pytest.raises(ValueError, match="num_steps must be 1 or more, got 0"):
        karras_sigmas(0)


@pytest.mark.parametrize("sampler", [dpm_solver_2m, jump])
def test_samplers_converge_to_the_probability_flow(sampler):
    noise = initial_noise([1, 2, 3], (1, 8, 8)).double()
    coarse, fine = (end_of(sampler, noise, steps) for steps in (20, 160))
    exact = exact_end(noise)
    assert (fine - exact).abs().max() < (coarse - exact).abs().max()
    assert (fine - exact).abs().max() < 0.06


def test_multistep_solver_is_of_second_order():
    noise = initial_noise([5], (1, 8, 8)).double()
    exact = exact_end(noise)
    first, second = ((end_of(s, noise, 64) - exact).abs().max() for s in (jump, dpm_solver_2m))
    assert second < first / 5
