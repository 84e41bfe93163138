"""Labels and the names of their classes, as a file states them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsuite.errors import Failed

MAX_CLASSES = 100_000
"""Labels from here on are row numbers or hashes, not classes."""


class Classes(NamedTuple):
    """What a dataset says of its images' classes.

    Attributes:
        names: by label; empty where there are no classes.
        labels: int64 ``[N]`` in [0, len(names)); None where there are no classes.
    """

    names: tuple[str, ...]
    labels: NDArray[np.int64] | None


NO_CLASSES = Classes((), None)


def numbered(place: Path, labels: ArrayLike, names: Sequence[str] = ()) -> Classes:
    """Classes of labels that are whole numbers.

    Args:
        place: for messages.
        labels: ``[N]`` of any type of whole numbers.
        names: by label; where there are none, each label is its own name.

    Raises:
        Failed: a label is negative, has no name, or is too large to be a class.
    """
    found = np.asarray(labels)
    limit = len(names) or MAX_CLASSES
    wrong = np.flatnonzero((found < 0) | (found >= limit))
    if len(wrong):
        raise Failed(
            f"{place}: found label {found[wrong[0]]} at image {wrong[0]}, expected 0 to {limit - 1}; "
            "leave images without a class out, or number the classes from 0"
        )
    return Classes(tuple(names) or tuple(map(str, range(int(found.max()) + 1))), _frozen(found.astype(np.int64)))


def named(labels: Sequence[str]) -> Classes:
    """Classes of labels that are names; they are numbered in alphabetical order."""
    names = sorted(set(labels))
    numbers = {name: number for number, name in enumerate(names)}
    return Classes(tuple(names), _frozen(np.array([numbers[label] for label in labels], np.int64)))


def _frozen(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    labels.setflags(write=False)
    return labels
