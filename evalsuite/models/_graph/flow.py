"""Velocities of a flow between noise and image, with Euler and Heun."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from evalsuite.models._graph.parameterisation import Finite, Parameterisation, Positive, Predict
from evalsuite.suite.schema import Fault, refuse

if TYPE_CHECKING:
    from torch import Tensor


class Flow(Parameterisation):
    """A velocity ``dx/dt`` along the straight way between noise and image (Liu et al. 2022, arXiv 2209.03003).

    Attributes:
        solver: of the differential equation.
        noise_at: the time of pure noise. 1: ``x = (1 - t) image + t noise``, as in Stable Diffusion 3; 0: the other way
            round, as in Lipman et al. 2022 (arXiv 2210.02747). The velocity is the derivative by this time.
        time_scale: the network is given the time multiplied by this; 1000 where it was trained on 0 to 1000.
        shift: bends the grid towards the noise, ``s t / (1 + (s - 1) t)`` (Esser et al. 2024, equation 23); 1 for
            equal steps.
        times: a grid of its own, from ``noise_at`` to the other end, as a distilled student has been trained for.
    """

    solver: Literal["euler", "heun"] = "euler"
    noise_at: Literal[0, 1] = 1
    time_scale: Positive = 1.0
    shift: Positive = 1.0
    times: tuple[Finite, ...] | None = Field(default=None, min_length=2)

    @model_validator(mode="after")
    def _goes_from_noise_to_image(self) -> Flow:
        if self.times is not None and "shift" in self.model_fields_set:
            refuse([Fault(("times",), "a grid beside shift", "one or the other")])
        if self.times is not None:
            levels = [self._other_way(time) for time in self.times]
            if (levels[0], levels[-1]) != (1, 0) or any(a <= b for a, b in pairwise(levels)):
                ends = f"from {self.noise_at}, where the noise is, to {1 - self.noise_at}"
                refuse([Fault(("times",), "another list", f"times {ends}, each beyond the one before")])
        return self

    @property
    def own_steps(self) -> int | None:
        return None if self.times is None else len(self.times) - 1

    def evaluations(self, num_steps: int) -> int:
        return 2 * num_steps if self.solver == "heun" else num_steps

    def grid(self, num_steps: int) -> Sequence[float]:
        """``num_steps + 1`` times, from noise to image."""
        if self.times is not None:
            return self.times
        even = [1 - i / num_steps for i in range(num_steps + 1)]
        return [self._other_way(self.shift * t / (1 + (self.shift - 1) * t)) for t in even]

    def states(self, predict: Predict, noise: Tensor, num_steps: int) -> Iterator[Tensor]:
        x = noise
        for time, following in pairwise(self.grid(num_steps)):
            velocity = predict(x, time * self.time_scale)
            ahead = x + (following - time) * velocity
            if self.solver == "heun":
                ahead = x + (following - time) / 2 * (velocity + predict(ahead, following * self.time_scale))
            x = ahead
            yield x

    def _other_way(self, time: float) -> float:
        """From the network's time to the share of noise, and back."""
        return time if self.noise_at == 1 else 1 - time
