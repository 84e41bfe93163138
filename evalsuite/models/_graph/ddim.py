"""Denoisers by DDPM's time steps, with DDIM."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from evalsuite.models._graph.parameterisation import Parameterisation, Positive, Predict
from evalsuite.suite.schema import Fault, refuse

if TYPE_CHECKING:
    from torch import Tensor


class Ddim(Parameterisation):
    """A network of DDPM's time steps, sampled by DDIM with eta 0 (Song et al. 2020, arXiv 2010.02502, equation 12).

    ``x = sqrt(alpha) image + sqrt(1 - alpha) noise``, where alpha is the cumulative product of ``1 - beta``. Settings
    have the names, defaults and meaning of diffusers' ``DDIMScheduler``, but for the step that follows a time step: it
    is always the next one of the grid.

    Attributes:
        prediction: the noise, the image, or ``v = sqrt(alpha) noise - sqrt(1 - alpha) image`` (Salimans and Ho 2022).
        num_train_timesteps: time steps run from 0 to one less.
        beta_schedule: ``linear`` in beta, ``scaled_linear`` in its square root, or ``cosine`` (Nichol and Dhariwal
            2021; ``squaredcos_cap_v2`` in diffusers), which needs no ends.
        beta_start, beta_end: the ends.
        timestep_spacing: ``leading`` begins at 0 and may leave out the last steps; ``trailing`` ends at the last.
        steps_offset: added to the time steps of ``leading``.
        set_alpha_to_one: whether the last step arrives at the clean image, or at the noise level of time step 0.
        clip_sample_range: predicted images are clipped to plus and minus this; None for no clipping.
        learned_variance: whether the network also predicts variances, in as many further channels; DDIM needs none.
        timesteps: a grid of its own, decreasing, as a distilled student has been trained for.
    """

    whole_times: ClassVar[bool] = True

    prediction: Literal["epsilon", "v_prediction", "sample"] = "epsilon"
    num_train_timesteps: int = Field(default=1000, ge=1, le=100_000)
    beta_schedule: Literal["linear", "scaled_linear", "cosine"] = "linear"
    beta_start: float = Field(default=0.0001, gt=0, lt=1)
    beta_end: float = Field(default=0.02, gt=0, lt=1)
    timestep_spacing: Literal["leading", "trailing"] = "leading"
    steps_offset: int = Field(default=0, ge=0)
    set_alpha_to_one: bool = True
    clip_sample_range: Positive | None = None
    learned_variance: bool = False
    timesteps: tuple[int, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _stays_in_training(self) -> Ddim:
        last = self.num_train_timesteps - 1
        if self.timesteps is not None and (
            not 0 <= self.timesteps[-1] <= self.timesteps[0] <= last or any(a <= b for a, b in pairwise(self.timesteps))
        ):
            refuse([Fault(("timesteps",), "another list", f"decreasing whole numbers from {last} to 0")])
        if self.steps_offset and self.timestep_spacing == "trailing":
            refuse([Fault(("steps_offset",), f"{self.steps_offset}", "0 where timestep_spacing is trailing")])
        return self

    @property
    def own_steps(self) -> int | None:
        return None if self.timesteps is None else len(self.timesteps)

    @property
    def most_steps(self) -> int:
        """So many that the offset does not lead past the last time step."""
        return self.num_train_timesteps // (self.steps_offset + 1)

    def channels(self, image_channels: int) -> int:
        return image_channels * (2 if self.learned_variance else 1)

    def grid(self, num_steps: int) -> Sequence[int]:
        """Time steps, decreasing."""
        if self.timesteps is not None:
            return self.timesteps
        total = self.num_train_timesteps
        if self.timestep_spacing == "trailing":
            return [round(total - i * total / num_steps) - 1 for i in range(num_steps)]
        return [i * (total // num_steps) + self.steps_offset for i in reversed(range(num_steps))]

    def alphas(self) -> list[float]:
        """The cumulative product of ``1 - beta`` at each time step."""
        total, start, end = self.num_train_timesteps, self.beta_start, self.beta_end
        if self.beta_schedule == "linear":
            betas = np.linspace(start, end, total)
        elif self.beta_schedule == "scaled_linear":
            betas = np.linspace(math.sqrt(start), math.sqrt(end), total) ** 2
        else:
            alpha = np.cos((np.arange(total + 1) / total + 0.008) / 1.008 * math.pi / 2) ** 2
            betas = np.minimum(1 - alpha[1:] / alpha[:-1], 0.999)
        products: list[float] = np.cumprod(1 - betas).tolist()
        return products

    def states(self, predict: Predict, noise: Tensor, num_steps: int) -> Iterator[Tensor]:
        alphas, steps = self.alphas(), self.grid(num_steps)
        levels = [*(alphas[step] for step in steps), 1.0 if self.set_alpha_to_one else alphas[0]]
        x = noise
        for step, (alpha, following) in zip(steps, pairwise(levels), strict=True):
            image, epsilon = self._parts(predict(x, step), x, math.sqrt(alpha), math.sqrt(1 - alpha))
            if self.clip_sample_range is not None:
                image = image.clip(-self.clip_sample_range, self.clip_sample_range)
            x = math.sqrt(following) * image + math.sqrt(1 - following) * epsilon
            yield x

    def _parts(self, predicted: Tensor, x: Tensor, signal: float, noise: float) -> tuple[Tensor, Tensor]:
        """The image and the noise that ``x = signal * image + noise * epsilon`` consists of, by the prediction."""
        if self.prediction == "epsilon":
            return (x - noise * predicted) / signal, predicted
        if self.prediction == "sample":
            return predicted, (x - signal * predicted) / noise
        return signal * x - noise * predicted, signal * predicted + noise * x
