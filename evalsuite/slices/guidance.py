"""Slices at other strengths of classifier-free guidance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalsuite.settings import Settings
from evalsuite.slices.contract import SliceCase


class Guidance(Settings):
    """The same samples at other guidance scales (Ho and Salimans 2022); for models whose guidance can be set.

    Attributes:
        scale: the guidance scales; 1 is none.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    scale: Annotated[list[Annotated[float, Field(ge=0, allow_inf_nan=False)]], Field(min_length=1)]

    def expand(self) -> Sequence[SliceCase]:
        """One slice a guidance scale: ``guidance=2.5``."""
        needs = ("guidance_scale",)
        return [SliceCase(f"guidance={s:g}", settings={"guidance_scale": s}, needs=needs, level=s) for s in self.scale]
