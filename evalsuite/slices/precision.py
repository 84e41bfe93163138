"""Slices in other floating-point types than the target's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalsuite.settings import Settings
from evalsuite.slices.contract import SliceCase


class Precision(Settings):
    """The same samples with weights and computation in another type; what a target cannot do is skipped there.

    Attributes:
        dtype: as a target's setting of that name: ``float32``, ``bfloat16``, ``float16``.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    dtype: Annotated[list[Literal["float32", "bfloat16", "float16"]], Field(min_length=1)]

    def expand(self) -> Sequence[SliceCase]:
        """One slice a type: ``precision=bfloat16``."""
        return [SliceCase(f"precision={dtype}", target={"dtype": dtype}) for dtype in self.dtype]
