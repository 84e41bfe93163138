"""Slices at other sizes of the generated images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from evalsuite.settings import Settings
from evalsuite.slices.contract import SliceCase


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


Size = Annotated[
    str,
    BeforeValidator(_text, json_schema_input_type=int | str),
    StringConstraints(pattern=r"^[1-9][0-9]{0,4}(x[1-9][0-9]{0,4})?$"),
]


class Resolution(Settings):
    """The same prompts and seeds at other sizes; for models whose size can be set. Noise of another size is other
    noise, so an image and its larger version need not look alike.

    Attributes:
        size: in pixels: ``512`` for square images, ``512x768`` for height and width.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    size: Annotated[list[Size], Field(min_length=1)]

    def expand(self) -> Sequence[SliceCase]:
        """One slice a size: ``resolution=512x768``. Its level is the number of pixels."""
        return [_case(size) for size in self.size]


def _case(size: str) -> SliceCase:
    height, _, width = size.partition("x")
    sides = {"height": int(height), "width": int(width or height)}
    level = float(sides["height"] * sides["width"])
    return SliceCase(f"resolution={size}", settings=sides, needs=("height", "width"), level=level)
