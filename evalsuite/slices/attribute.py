"""Slices by attributes of the samples, such as their class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import product
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from evalsuite.errors import Skipped, nearest
from evalsuite.settings import Settings
from evalsuite.slices.contract import Columns, joined_id

Positions = NDArray[np.int64]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Attribute(Settings):
    """One subset for each value of an attribute, or for each combination of values; re-uses the samples of ``all``.

    Attributes:
        by: the attribute: ``class``, which was asked for (generated) or is true (reference), or a column of the prompt
            set or of the inputs; of several, every combination that samples have.
        values: of a single attribute, those to keep; None for all that samples have.
    """

    kind: ClassVar[Literal["subset"]] = "subset"

    by: Annotated[
        tuple[str, ...],
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
        Field(min_length=1),
    ] = ("class",)
    values: tuple[str, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Attribute:
        if len(set(self.by)) < len(self.by):
            raise ValueError(f"found an attribute twice in {', '.join(self.by)}, expected each once")
        if self.values is not None and len(self.by) > 1:
            raise ValueError("found values of several attributes, expected values of one")
        return self

    def select(self, columns: Columns) -> Mapping[str, Positions]:
        """Positions of the samples of each value, int64, by ``class=<value>``, or of each combination, by
        ``challenge=<value>&class=<value>``; those without samples are left out. Values that differ in capitals and
        punctuation alone are one slice.

        Raises:
            Skipped: the samples have no such attribute, or none of a value that was asked for.
        """
        found = {}
        for parts in product(*(self._values(name, columns) for name in self.by)):
            where = reduce(lambda a, b: np.intersect1d(a, b, assume_unique=True), (where for _, where in parts))
            if len(where):
                found[joined_id(*(part for part, _ in parts))] = where
        if not found:
            raise Skipped(f"no sample has all of {', '.join(self.by)}")
        return found

    def _values(self, name: str, columns: Columns) -> list[tuple[str, Positions]]:
        """Id and positions of each value of an attribute."""
        if name not in columns:
            known = f"; they have {', '.join(columns)}" if columns else ""
            raise Skipped(f"nothing is known of {name!r} of the samples, so there are no slices by it{known}")
        found: dict[str, Positions] = {}
        for value, where in columns[name].items():
            if len(where):
                found[slug(value)] = np.union1d(found.get(slug(value), np.empty(0, np.int64)), where)
        chosen = found if self.values is None else {slug(v): found[slug(v)] for v in self._known_values(name, found)}
        return [(f"{name}={value}", where) for value, where in chosen.items()]

    def _known_values(self, name: str, found: Mapping[str, Positions]) -> Iterator[str]:
        for value in self.values or ():
            if slug(value) not in found:
                raise Skipped(f"no sample has {name} {value!r}; {nearest(slug(value), found)}")
            yield value


def slug(name: str) -> str:
    """A value as it stands in a slice id: lower case, hyphens for everything but letters and digits."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")
