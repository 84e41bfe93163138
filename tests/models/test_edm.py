"""Denoisers by noise level: the zoo's own samplers, and a Gaussian whose solution is known."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from evalsuite.models._graph.edm import Edm
from evalsuite.models.zoo import sampler as zoo

MEAN, SPREAD = 0.3, 0.7
NOISE = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """The exact denoiser of pixels that are independent normal, of a known mean and spread."""
    return (SPREAD**2 * x + sigma**2 * MEAN) / (SPREAD**2 + sigma**2)


def solution(sigma_max: float) -> Tensor:
    """Where the probability flow from ``NOISE`` ends: the spread shrinks, the order stays."""
    return MEAN + (sigma_max * NOISE - MEAN) * SPREAD / math.sqrt(SPREAD**2 + sigma_max**2)


def error(settings: Edm, steps: int) -> float:
    (*_, image) = settings.states(gaussian, NOISE, steps)
    return float((image - solution(80.0)).abs().max())


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("dpm_solver_2m", 2)])
def test_solvers_converge_at_their_order(solver: str, order: int) -> None:
    coarse, fine = (error(Edm(solver=solver), steps) for steps in (200, 400))
    assert coarse < 0.05
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize(("solver", "expected"), [("euler", zoo.jump), ("dpm_solver_2m", zoo.dpm_solver_2m)])
def test_states_are_those_of_the_zoo(solver: str, expected) -> None:
    sigmas = zoo.karras_sigmas(7)
    mine = Edm(solver=solver, sigma_min=zoo.SIGMA_MIN).states(gaussian, NOISE, 7)
    theirs = expected(lambda x, sigma: gaussian(x, float(sigma[0])), NOISE, sigmas)
    for one, other in zip(mine, theirs, strict=True):
        assert torch.allclose(one, other, rtol=1e-6)


def test_heun_evaluates_twice_but_for_the_last_step() -> None:
    calls: list[float] = []

    def counting(x: Tensor, sigma: float) -> Tensor:
        calls.append(sigma)
        return gaussian(x, sigma)

    states = list(Edm(solver="heun").states(counting, NOISE, 5))
    assert len(states) == 5
    assert len(calls) == Edm(solver="heun").evaluations(5) == 9
    assert min(calls) == pytest.approx(0.002)


def test_the_grid_is_that_of_the_paper() -> None:
    assert Edm(sigma_min=zoo.SIGMA_MIN).grid(5) == pytest.approx(zoo.karras_sigmas(5))
    assert Edm().grid(1) == pytest.approx([80.0, 0.0])


def test_a_grid_of_its_own() -> None:
    settings = Edm(sigmas=(80.0, 2.0, 0.0))
    assert (settings.own_steps, list(settings.grid(2))) == (2, [80.0, 2.0, 0.0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sigmas": [80.0, 2.0]}, "decreasing noise levels, the last of them 0"),
        ({"sigmas": [2.0, 80.0, 0.0]}, "decreasing noise levels"),
        ({"sigmas": [80.0, 0.0], "sigma_max": 80.0}, "found a grid beside sigma_max, expected one or the other"),
        ({"sigma_min": 90.0}, "found 90, expected less than sigma_max, 80"),
        ({"solver": "ddim"}, "euler"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Edm(**settings)
