"""Slices by an attribute of the samples, such as their class."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Skipped
from evalsuite.settings import Settings


class Attribute(Settings):
    """One subset for each value of an attribute; re-uses the samples of ``all``.

    Attributes:
        by: the attribute; ``class`` is the class that was asked for (generated) or is true (reference).
    """

    kind: ClassVar[Literal["subset"]] = "subset"

    by: Literal["class"] = "class"

    def select(self, labels: NDArray[np.int64] | None, class_names: Sequence[str]) -> Mapping[str, NDArray[np.int64]]:
        """Positions of each class's samples, int64, by ``class=<name>``; classes without samples are left out.

        Args:
            labels: int64 ``[N]``, or None.
            class_names: by label; where empty, the label itself is the name.

        Raises:
            Skipped: the samples have no classes.
        """
        if labels is None:
            raise Skipped("the samples have no classes, so there are no slices by class")
        return {
            f"class={slug(class_names[label]) if class_names else label}": np.flatnonzero(labels == label)
            for label in np.unique(labels)
        }


def slug(name: str) -> str:
    """A class name as it stands in a slice id: lower case, hyphens for everything but letters and digits."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")
