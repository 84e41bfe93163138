"""Slices at other numbers of sampler steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalsuite.settings import Settings
from evalsuite.slices.contract import SliceCase


class NumSteps(Settings):
    """The same samples in more or fewer steps; for models whose number of steps can be set.

    Attributes:
        steps: the numbers of steps.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    steps: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]

    def expand(self) -> Sequence[SliceCase]:
        """One slice a number of steps: ``num_steps=4``."""
        needs = ("num_steps",)
        return [SliceCase(f"num_steps={n}", settings={"num_steps": n}, needs=needs, level=n) for n in self.steps]
