"""Flows: a Gaussian whose solution is known, both directions of time, and diffusers' scheduler."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from pydantic import ValidationError
from torch import Tensor

from evalsuite.models._graph.flow import Flow

MEAN, SPREAD = 0.3, 0.7
NOISE = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SOLUTION = MEAN + SPREAD * NOISE


def gaussian(x: Tensor, time: float) -> Tensor:
    """The exact velocity for pixels that are independent normal, with the noise at time 1."""
    centred = (x - (1 - time) * MEAN) / ((1 - time) ** 2 * SPREAD**2 + time**2)
    return time * centred - (MEAN + (1 - time) * SPREAD**2 * centred)


def last(settings: Flow, predict, steps: int) -> Tensor:
    (*_, image) = settings.states(predict, NOISE, steps)
    return image


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_solvers_converge_at_their_order(solver: str, order: int) -> None:
    coarse, fine = (float((last(Flow(solver=solver), gaussian, steps) - SOLUTION).abs().max()) for steps in (100, 200))
    assert coarse < 0.05
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.3)


@pytest.mark.parametrize("solver", ["euler", "heun"])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_both_directions_of_time_are_the_same_flow(solver: str, shift: float) -> None:
    forward = Flow(solver=solver, shift=shift, noise_at=0)
    backward = Flow(solver=solver, shift=shift)
    turned = last(forward, lambda x, time: -gaussian(x, 1 - time), 9)
    assert torch.allclose(turned, last(backward, gaussian, 9), rtol=1e-9)


def test_the_network_is_given_the_scaled_time() -> None:
    scaled = last(Flow(time_scale=1000.0), lambda x, time: gaussian(x, time / 1000), 6)
    assert torch.allclose(scaled, last(Flow(), gaussian, 6))


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_states_are_those_of_diffusers(shift: float) -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / 8, 8))
    x = NOISE.float()
    for step in scheduler.timesteps:
        x = scheduler.step(gaussian(x, float(step) / 1000), step, x).prev_sample
    assert torch.allclose(last(Flow(shift=shift), gaussian, 8).float(), x, atol=1e-5)


@pytest.mark.parametrize(("solver", "evaluations"), [("euler", 4), ("heun", 8)])
def test_evaluations_are_counted(solver: str, evaluations: int) -> None:
    calls: list[float] = []

    def counting(x: Tensor, time: float) -> Tensor:
        calls.append(time)
        return gaussian(x, time)

    last(Flow(solver=solver), counting, 4)
    assert len(calls) == Flow(solver=solver).evaluations(4) == evaluations


def test_a_grid_of_its_own() -> None:
    settings = Flow(times=(1.0, 0.25, 0.0))
    assert settings.own_steps == 2
    assert list(settings.grid(2)) == [1.0, 0.25, 0.0]
    assert Flow(noise_at=0, times=(0.0, 0.5, 1.0)).own_steps == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"times": [0.0, 1.0]}, "times from 1, where the noise is, to 0"),
        ({"times": [1.0, 0.0], "noise_at": 0}, "times from 0, where the noise is, to 1"),
        ({"times": [1.0, 0.2, 0.5, 0.0]}, "each beyond the one before"),
        ({"times": [1.0, 0.0], "shift": 3.0}, "a grid beside shift"),
        ({"noise_at": 2}, "0 or 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Flow(**settings)
