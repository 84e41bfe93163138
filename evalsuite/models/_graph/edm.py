"""Denoisers by noise level: Karras et al. 2022, with Euler, Heun and DPM-Solver++."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from evalsuite.models._graph.parameterisation import Finite, Parameterisation, Positive, Predict
from evalsuite.suite.schema import Fault, refuse

if TYPE_CHECKING:
    from torch import Tensor


class Edm(Parameterisation):
    """A denoiser ``D(x, sigma)`` that returns the clean image (Karras et al. 2022, arXiv 2206.00364).

    ``x`` is the clean image plus noise of standard deviation ``sigma``; preconditioning is part of the network.

    Attributes:
        solver: ``euler`` and ``heun`` (algorithm 1) of that paper; ``dpm_solver_2m`` is DPM-Solver++(2M) (Lu et al.
            2022, algorithm 2).
        sigma_min, sigma_max, rho: ends and bend of the grid of noise levels (equation 5).
        sigmas: a grid of its own in place of it, decreasing to 0, as a distilled student has been trained for.
    """

    solver: Literal["euler", "heun", "dpm_solver_2m"] = "euler"
    sigma_min: Positive = 0.002
    sigma_max: Positive = 80.0
    rho: Positive = 7.0
    sigmas: tuple[Finite, ...] | None = Field(default=None, min_length=2)

    @field_validator("sigmas")
    @classmethod
    def _falls_to_zero(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and (value[-1] != 0 or any(a <= b for a, b in pairwise(value))):
            raise ValueError("expected decreasing noise levels, the last of them 0")
        return value

    @model_validator(mode="after")
    def _has_one_grid(self) -> Edm:
        ends = {"sigma_min", "sigma_max", "rho"} & self.model_fields_set
        if self.sigmas is not None and ends:
            refuse([Fault(("sigmas",), f"a grid beside {sorted(ends)[0]}", "one or the other")])
        if self.sigma_min >= self.sigma_max:
            refuse([Fault(("sigma_min",), f"{self.sigma_min:g}", f"less than sigma_max, {self.sigma_max:g}")])
        return self

    @property
    def own_steps(self) -> int | None:
        return None if self.sigmas is None else len(self.sigmas) - 1

    def grid(self, num_steps: int) -> Sequence[float]:
        """``num_steps + 1`` noise levels, decreasing to 0."""
        if self.sigmas is not None:
            return self.sigmas
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        return [*((high + i / max(num_steps - 1, 1) * (low - high)) ** self.rho for i in range(num_steps)), 0.0]

    def evaluations(self, num_steps: int) -> int:
        """Heun's last step, down to 0, has no correction."""
        return 2 * num_steps - 1 if self.solver == "heun" else num_steps

    def states(self, predict: Predict, noise: Tensor, num_steps: int) -> Iterator[Tensor]:
        sigmas = self.grid(num_steps)
        x = noise * sigmas[0]
        denoised_before: Tensor | None = None
        for i, (sigma, following) in enumerate(pairwise(sigmas)):
            denoised = predict(x, sigma)
            aim = denoised
            if self.solver == "dpm_solver_2m" and denoised_before is not None and following > 0:
                ratio = math.log(sigmas[i - 1] / sigma) / math.log(sigma / following)
                aim = denoised + (denoised - denoised_before) / (2 * ratio)
            ahead = aim + (following / sigma) * (x - aim)
            if self.solver == "heun" and following > 0:
                slope, slope_ahead = (x - denoised) / sigma, (ahead - predict(ahead, following)) / following
                ahead = x + (following - sigma) / 2 * (slope + slope_ahead)
            denoised_before, x = denoised, ahead
            yield x
