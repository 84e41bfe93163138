"""Slices with other samplers in place of the model's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from evalsuite.settings import Settings
from evalsuite.slices.contract import SliceCase

ClassName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]


class Scheduler(Settings):
    """The same samples by other samplers, with the number of steps left alone; for models whose sampler can be set.

    Attributes:
        names: what the adapter's setting ``scheduler`` calls ``kind``, such as ``EulerDiscreteScheduler``.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    names: Annotated[list[ClassName], Field(min_length=1)]

    def expand(self) -> Sequence[SliceCase]:
        """One slice a sampler: ``scheduler=EulerDiscreteScheduler``."""
        return [
            SliceCase(f"scheduler={name}", settings={"scheduler": {"kind": name}}, needs=("scheduler",))
            for name in self.names
        ]
