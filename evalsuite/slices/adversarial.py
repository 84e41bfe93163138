"""Slices whose inputs were searched for: a bounded change that drives one student away from its teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, Differentiable
from evalsuite.settings import Settings
from evalsuite.slices.contract import Found, Search, SliceCase
from evalsuite.suite.schema import Name

if TYPE_CHECKING:
    from torch import Tensor

Norm = Literal["linf", "l2"]
Levels = Annotated[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)]
REACH = 2.5
"""Steps in all go so many budgets far, so that any point of the ball can be reached and left again (Madry et al.)."""


class Attack(Search):
    """Projected gradient descent (Madry, Makelov, Schmidt, Tsipras and Vladu 2018, arXiv:1706.06083): the squared
    distance of the student's image to the teacher's image of the unchanged input is climbed from a start drawn in the
    ball; each sample keeps the farthest point of its way.

    Attributes:
        on: what is changed: the ``image`` that samples start from, in levels of 0 to 255, or the initial ``noise``, in
            its standard deviations.
        norm: of the change, which is at most ``budget``: of its largest value (``linf``), or Euclidean (``l2``).
        steps: gradients.
        step_size: in the units of the budget.
        seed: of the start, beside that of the sample.
    """

    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch")

    on: Literal["image", "noise"]
    norm: Norm
    budget: float
    steps: int
    step_size: float
    seed: int

    def search(self, model: Differentiable, batch: Batch, wanted: NDArray[np.uint8]) -> Found:
        """``change``: float32 for noise, int16 for images, of the shape of what is changed.

        Args:
            wanted: the teacher's images of the unchanged batch, uint8 ``[B, C, H, W]``.

        Raises:
            Failed: the model takes no such input, or no gradient reaches it.
        """
        import torch

        noise, condition = model.noise(batch), model.condition(batch)
        clean = noise if self.on == "noise" else condition
        if clean is None or not clean.is_floating_point():
            raise Failed(f"{self.against} has no {self.on} that can be changed little by little")
        target = torch.from_numpy(wanted).to(clean)

        def losses(change: Tensor) -> Tensor:
            moved = clean + change
            images = model.forward(moved, condition) if self.on == "noise" else model.forward(noise, moved)
            return (images - target).square().flatten(1).sum(1)

        change = self._climbed(clean, self._start(clean, batch.seeds), losses)
        found = change.float().cpu().numpy()
        if self.on == "noise":
            return {"change": found}
        # Towards the unchanged image, so that whole levels are still in the ball; the small part is for rounding.
        return {"change": np.trunc(found + np.sign(found) * 1e-3).astype(np.int16)}

    def applied(self, batch: Batch, found: Found) -> Batch:
        change = found["change"]
        if self.on == "noise":
            return replace(batch, offset=change)
        assert batch.images is not None, "the slice needs images"
        return replace(batch, images=np.clip(batch.images + change, 0, 255).astype(np.uint8))

    def _climbed(self, clean: Tensor, change: Tensor, losses: Callable[[Tensor], Tensor]) -> Tensor:
        import torch

        best, farthest = change, torch.full((len(change),), -torch.inf, device=change.device)
        for step in range(self.steps + 1):
            with torch.enable_grad():  # a target turns gradients off for its process
                change = change.detach().requires_grad_()
                values = losses(change)
                (gradient,) = torch.autograd.grad(values.sum(), change) if step < self.steps else (change,)
            better = values.detach() > farthest
            farthest = torch.where(better, values.detach(), farthest)
            best = torch.where(_column(better, change), change.detach(), best)
            change = self._projected(clean, change.detach() + self.step_size * self._direction(gradient))
        return best

    def _start(self, clean: Tensor, seeds: NDArray[np.int64]) -> Tensor:
        import torch

        shape = tuple(clean.shape[1:])
        drawn = [np.random.default_rng([self.seed, int(seed)]).uniform(-1, 1, shape) for seed in seeds]
        start = torch.from_numpy(np.stack(drawn)).to(clean) * self.budget
        return self._projected(clean, start)

    def _direction(self, gradient: Tensor) -> Tensor:
        if self.norm == "linf":
            return gradient.sign()
        return gradient / _column(gradient.flatten(1).norm(dim=1).clamp_min(1e-12), gradient)

    def _projected(self, clean: Tensor, change: Tensor) -> Tensor:
        """The nearest change in the ball, and of images one that leaves them between black and white."""
        if self.norm == "linf":
            change = change.clamp(-self.budget, self.budget)
        else:
            length = change.flatten(1).norm(dim=1).clamp_min(1e-12)
            change = change * _column((self.budget / length).clamp_max(1.0), change)
        return (clean + change).clamp(0, 255) - clean if self.on == "image" else change


def _column(values: Tensor, like: Tensor) -> Tensor:
    """Values ``[B]`` with as many axes as a batch has."""
    return values.reshape(-1, *[1] * (like.dim() - 1))


class Adversarial(Settings):
    """The worst inputs near the usual ones for a student, given to all models, its teacher among them.

    They are searched for once on the student, which must be differentiable, and kept; a fragile student is one that
    they hurt and its teacher they do not.

    Attributes:
        against: names of the students that are attacked, each in slices of its own.
        on: what is changed: the ``image`` that samples start from, or the initial ``noise``.
        budget: how large the change may be: of images in levels of 0 to 255, of noise in its standard deviations.
        norm: of the largest value (``linf``), or Euclidean (``l2``).
        steps: gradients of each search.
        step_size: of each step; None for 2.5 budgets divided by the steps.
        seed: of the starts.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    against: Annotated[list[Name], Field(min_length=1)]
    on: Literal["image", "noise"] = "image"
    budget: Levels = Field(default=[4.0])
    norm: Norm = "linf"
    steps: Annotated[int, Field(ge=1, le=1000)] = 10
    step_size: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0

    def expand(self) -> Sequence[SliceCase]:
        """One slice a student and budget: ``adversarial.student-4step=4``."""
        return [self._case(name, budget) for name in self.against for budget in self.budget]

    def _case(self, name: str, budget: float) -> SliceCase:
        change = Attack(
            against=name,
            on=self.on,
            norm=self.norm,
            budget=budget,
            steps=self.steps,
            step_size=self.step_size or REACH * budget / self.steps,
            seed=self.seed,
        )
        need = "image" if self.on == "image" else "offset"
        return SliceCase(f"adversarial.{name}={budget:g}", change=change, needs=(need,), level=budget, unchanged=0)
