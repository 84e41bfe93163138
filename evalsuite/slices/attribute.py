"""Slices by an attribute of the samples, such as their class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped
from evalsuite.settings import Settings
from evalsuite.slices.contract import Columns


class Attribute(Settings):
    """One subset for each value of an attribute; re-uses the samples of ``all``.

    Attributes:
        by: the attribute: ``class``, which was asked for (generated) or is true (reference), or a column of the prompt
            set.
    """

    kind: ClassVar[Literal["subset"]] = "subset"

    by: str = "class"

    def select(self, columns: Columns) -> Mapping[str, NDArray[np.int64]]:
        """Positions of the samples of each value, int64, by ``class=<value>``; values without samples are left out.

        Raises:
            Skipped: the samples have no such attribute.
        """
        if self.by not in columns:
            known = f"; they have {', '.join(columns)}" if columns else ""
            raise Skipped(f"nothing is known of {self.by!r} of the samples, so there are no slices by it{known}")
        return {f"{self.by}={slug(value)}": where for value, where in columns[self.by].items() if len(where)}


def slug(name: str) -> str:
    """A value as it stands in a slice id: lower case, hyphens for everything but letters and digits."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")
