"""DDIM: diffusers' scheduler, and a Gaussian whose solution is known."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from diffusers import DDIMScheduler
from pydantic import ValidationError
from torch import Tensor

from evalsuite.models._graph.ddim import Ddim

NOISE = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
MEAN, SPREAD = 0.3, 0.7


def toy(x: Tensor, time: float) -> Tensor:
    """Some function of state and time; a scheduler does not mind what it is."""
    return torch.sin(3 * x) * (0.5 + time / 2000) + 0.1


def by_diffusers(steps: int, **settings) -> list[Tensor]:
    """States of the library's sampler."""
    clip = settings.pop("clip_sample_range", None)
    schedule = settings.pop("beta_schedule", "linear")
    scheduler = DDIMScheduler(
        beta_schedule={"cosine": "squaredcos_cap_v2"}.get(schedule, schedule),
        prediction_type=settings.pop("prediction", "epsilon"),
        clip_sample=clip is not None,
        clip_sample_range=clip or 1.0,
        **settings,
    )
    scheduler.set_timesteps(steps)
    x, states = NOISE, []
    for step in scheduler.timesteps:
        x = scheduler.step(toy(x, float(step)), step, x, eta=0.0).prev_sample
        states.append(x)
    return states


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, 10),
        ({}, 7),
        ({"prediction": "v_prediction"}, 10),
        ({"prediction": "sample"}, 10),
        ({"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}, 10),
        ({"beta_schedule": "cosine", "prediction": "v_prediction"}, 10),
        ({"timestep_spacing": "trailing", "prediction": "v_prediction"}, 4),
        ({"timestep_spacing": "trailing"}, 1),
        ({"steps_offset": 1, "set_alpha_to_one": False}, 10),
        ({"clip_sample_range": 1.0}, 10),
        ({"clip_sample_range": 0.5, "prediction": "v_prediction"}, 10),
        ({"num_train_timesteps": 400}, 8),
    ],
    ids=str,
)
def test_states_are_those_of_diffusers(settings, steps: int) -> None:
    mine = list(Ddim(**settings).states(toy, NOISE, steps))
    for one, other in zip(mine, by_diffusers(steps, **settings), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4)


def gaussian(alphas: list[float], prediction: str):
    """The exact network for pixels that are independent normal, of a known mean and spread."""

    def predict(x: Tensor, time: float) -> Tensor:
        a = alphas[int(time)]
        variance = a * SPREAD**2 + 1 - a
        image = MEAN + math.sqrt(a) * SPREAD**2 / variance * (x - math.sqrt(a) * MEAN)
        epsilon = math.sqrt(1 - a) / variance * (x - math.sqrt(a) * MEAN)
        return {
            "sample": image,
            "epsilon": epsilon,
            "v_prediction": math.sqrt(a) * epsilon - math.sqrt(1 - a) * image,
        }[prediction]

    return predict


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_converges_to_the_solution_of_the_flow(prediction: str) -> None:
    settings = Ddim(prediction=prediction, timestep_spacing="trailing")
    alphas = settings.alphas()
    noise = NOISE.double()
    start = math.sqrt(alphas[-1])
    solution = MEAN + (noise - start * MEAN) * SPREAD / math.sqrt(start**2 * SPREAD**2 + 1 - start**2)
    errors = []
    for steps in (50, 100):
        (*_, image) = settings.states(gaussian(alphas, prediction), noise, steps)
        errors.append(float((image - solution).abs().max()))
    assert errors[1] < 0.1
    assert errors[0] / errors[1] == pytest.approx(2, abs=0.4)


def test_a_grid_of_its_own() -> None:
    settings = Ddim(timesteps=(999, 499, 249))
    assert settings.own_steps == 3
    (first, *_) = settings.states(toy, NOISE, 3)
    alphas = settings.alphas()
    epsilon = toy(NOISE, 999)
    image = (NOISE - math.sqrt(1 - alphas[999]) * epsilon) / math.sqrt(alphas[999])
    assert torch.allclose(first, math.sqrt(alphas[499]) * image + math.sqrt(1 - alphas[499]) * epsilon, rtol=1e-4)


def test_every_step_leads_to_the_next_of_the_grid() -> None:
    """With 300 trailing steps of 1000 they are three or four apart, and none is passed over."""
    settings = Ddim(timestep_spacing="trailing")
    grid = settings.grid(300)
    assert (grid[0], grid[-1]) == (999, 2)
    assert {a - b for a, b in pairwise(grid)} == {3, 4}


def test_the_offset_bounds_the_number_of_steps() -> None:
    settings = Ddim(steps_offset=1)
    assert max(settings.grid(settings.most_steps)) <= 999
    assert settings.most_steps == 500


def test_learned_variances_double_the_channels() -> None:
    assert Ddim(learned_variance=True).channels(3) == 6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timesteps": [499, 999]}, "decreasing whole numbers from 999 to 0"),
        ({"timesteps": [1000, 0]}, "decreasing whole numbers from 999 to 0"),
        ({"timesteps": [5, -1]}, "decreasing whole numbers"),
        ({"timestep_spacing": "trailing", "steps_offset": 1}, "expected 0 where timestep_spacing is trailing"),
        ({"prediction": "flow"}, "epsilon"),
        ({"beta_end": 1.0}, "less than 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Ddim(**settings)
