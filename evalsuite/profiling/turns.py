"""The order in which models take turns, so that a drift of the machine falls on all of them alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def abba(models: Sequence[T], rounds: Iterable[int]) -> Iterator[tuple[int, T]]:
    """Round and model: A B C, C B A, A B C, ...

    In two rounds all models have the same mean position, so a linear drift cancels from their ratios.
    """
    for turn in rounds:
        for model in models if turn % 2 == 0 else reversed(models):
            yield turn, model
