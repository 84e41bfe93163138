"""Slices whose initial noise is not the standard normal that models are trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from evalsuite.records import NoiseSpec
from evalsuite.settings import Settings
from evalsuite.slices.contract import SliceCase

Levels = Annotated[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(min_length=1)]


class Latent(Settings):
    """Other initial noise of the same seeds: few-step models follow their noise more closely and suffer first.

    All but ``scale`` have the variance that models expect. See :mod:`evalsuite.noise`.

    Attributes:
        scale: factors; 1 is a standard normal.
        heavy_tails: degrees of freedom of Student's t; the fewer the heavier, infinitely many are a normal.
        low_pass: frequencies up to this share of the highest are kept.
        tiled: so many times a side one corner is repeated.
        shared: so many consecutive samples start from the same noise; with the number of classes, each noise is used
            for every class once.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    scale: Levels | None = None
    heavy_tails: Annotated[list[Annotated[int, Field(ge=3, le=1000)]], Field(min_length=1)] | None = None
    low_pass: Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1)] | None = None
    tiled: Annotated[list[Annotated[int, Field(ge=1, le=64)]], Field(min_length=1)] | None = None
    shared: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Latent:
        if not self.expand():
            raise ValueError(f"found nothing to change, expected one of {', '.join(type(self).model_fields)}")
        return self

    def expand(self) -> Sequence[SliceCase]:
        """One slice a level: ``latent.scale=1.1``, ``latent.heavy_tails=5``."""
        return list(self._cases())

    def _cases(self) -> Iterator[SliceCase]:
        for s in self.scale or ():
            yield _case("scale", s, NoiseSpec(scale=s), unchanged=1)
        for freedom in self.heavy_tails or ():
            yield _case("heavy_tails", freedom, NoiseSpec(kind="student_t", amount=freedom))
        for share in self.low_pass or ():
            yield _case("low_pass", share, NoiseSpec(kind="low_pass", amount=share), unchanged=1)
        for times in self.tiled or ():
            yield _case("tiled", times, NoiseSpec(kind="tiled", amount=times), unchanged=1)
        for count in self.shared or ():
            yield _case("shared", count, NoiseSpec(shared=count), unchanged=1, need="seeds")


def _case(name: str, level: float, noise: NoiseSpec, unchanged: float | None = None, need: str = "noise") -> SliceCase:
    return SliceCase(f"latent.{name}={level:g}", noise=noise, needs=(need,), level=level, unchanged=unchanged)
