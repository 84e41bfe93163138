"""The order in which models take turns, so that a drift of the machine falls on all of them alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_turns(models: Sequence[T], rounds: Iterable[int]) -> Iterator[tuple[int, T]]:
    """Round and model: A B C, A B C, C B A, C B A, A B C, ...

    In four rounds all models have the same mean position, so a linear drift cancels from their ratios. Where two rounds
    meet, by turns one model has both turns or two models have one each. What slows the machine for that moment makes
    the two rounds' ratios more alike in the one case and less in the other, so on the whole they are as independent as
    intervals take them to be. In the order A B, B A, A B they would always be more alike.
    """
    for turn in rounds:
        for model in models if turn // 2 % 2 == 0 else reversed(models):
            yield turn, model
