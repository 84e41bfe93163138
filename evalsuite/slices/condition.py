"""Slices of unusual conditions: mixed classes, prompts in other words, and nothing at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, Blend
from evalsuite.settings import Settings
from evalsuite.slices._wording import REWORDINGS
from evalsuite.slices.contract import Change, SliceCase

Shares = Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1)]


class Blended(Change):
    """Mixes each sample's class with another one, drawn by its seed."""

    weight: float

    def apply(self, batch: Batch) -> Batch:
        """The batch with a second class for each sample.

        Raises:
            Failed: there are not two classes to mix.
        """
        if batch.labels is None or batch.num_classes < 2:
            raise Failed(f"two classes are mixed, and there are {batch.num_classes if batch.labels is not None else 0}")
        away = [int(self.generator(seed).integers(1, batch.num_classes)) for seed in batch.seeds]
        others = (batch.labels + np.array(away, np.int64)) % batch.num_classes
        return replace(batch, blend=Blend(others, self.weight))


class Emptied(Change):
    """Asks for no class, and for the empty text."""

    def apply(self, batch: Batch) -> Batch:
        prompts = None if batch.prompts is None else ("",) * len(batch.prompts)
        return replace(batch, labels=None, prompts=prompts)


class Reworded(Change):
    """Asks in other words, each sample by its own seed.

    Attributes:
        name: of :data:`evalsuite.slices._wording.REWORDINGS`.
        amount: how much of the text is changed.
    """

    libraries: ClassVar[tuple[str, ...]] = ("numpy",)

    name: str
    amount: float

    def apply(self, batch: Batch) -> Batch:
        """The batch with other prompts.

        Raises:
            Failed: there are no prompts.
        """
        if batch.prompts is None:
            raise Failed("only prompts can be reworded, and there are none")
        reword = REWORDINGS[self.name]
        asked = zip(batch.prompts, batch.seeds, strict=True)
        return replace(batch, prompts=tuple(reword(text, self.amount, self.generator(seed)) for text, seed in asked))


class Condition(Settings):
    """Conditions that training hardly shows. What images are judged by (their class, the prompt of a CLIP score) stays
    what was asked for before.

    Attributes:
        blend: for models of classes, weights of a second class; the first has the rest.
        empty: whether to ask for nothing: no class, or the empty text.
        typos, synonyms, order, capitals, homoglyphs, fullwidth: shares of a prompt's words that are mistyped, replaced,
            moved, or written in capitals, in Cyrillic letters of the same look, or in wide letters.
        longer: how many times as long a prompt becomes, by words that ask for nothing.
        combined: how many rare attributes are added to a prompt.
    """

    kind: ClassVar[Literal["variation"]] = "variation"

    blend: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1)] | None = None
    empty: bool = False
    typos: Shares | None = None
    synonyms: Shares | None = None
    order: Shares | None = None
    capitals: Shares | None = None
    homoglyphs: Shares | None = None
    fullwidth: Shares | None = None
    longer: Annotated[list[Annotated[float, Field(gt=1, le=20)]], Field(min_length=1)] | None = None
    combined: Annotated[list[Annotated[int, Field(ge=1, le=12)]], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Condition:
        if not self.expand():
            raise ValueError(f"found nothing to change, expected one of {', '.join(type(self).model_fields)}")
        return self

    def expand(self) -> Sequence[SliceCase]:
        """One slice a level: ``condition.blend=0.5``, ``condition.typos=0.2``; and ``condition=empty``."""
        return list(self._cases())

    def _cases(self) -> Iterator[SliceCase]:
        for weight in self.blend or ():
            yield _case("blend", weight, Blended(weight=weight), ("class", "blend"))
        if self.empty:
            yield SliceCase("condition=empty", change=Emptied(), needs=("empty",))
        for name in REWORDINGS:
            for amount in getattr(self, name) or ():
                start = 1.0 if name == "longer" else 0.0
                yield _case(name, amount, Reworded(name=name, amount=amount), ("text",), start)


def _case(name: str, level: float, change: Change, needs: tuple[str, ...], unchanged: float = 0.0) -> SliceCase:
    return SliceCase(f"condition.{name}={level:g}", change=change, needs=needs, level=level, unchanged=unchanged)
