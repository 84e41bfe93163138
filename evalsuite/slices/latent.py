"""Slices in which the initial noise is too strong or too weak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalsuite.records import NoiseSpec
from evalsuite.settings import Settings
from evalsuite.slices.contract import SliceCase


class Latent(Settings):
    """Initial noise multiplied by a factor: few-step models follow their noise more closely and suffer first.

    Attributes:
        scale: the factors; 1 is a standard normal.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    scale: Annotated[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)]

    def expand(self) -> Sequence[SliceCase]:
        """One slice a factor: ``latent.scale=1.1``."""
        return [SliceCase(f"latent.scale={s:g}", noise=NoiseSpec(scale=s), needs="noise") for s in self.scale]
