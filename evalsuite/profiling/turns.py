"""How turns fall to models and their processes, so that what the machine and memory do to them falls on all alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from evalsuite.profiles import ProfileName

T = TypeVar("T")

PROCESSES: Mapping[ProfileName, int] = {"ci": 4, "standard": 6, "strict": 12}
"""Processes of each model, one after another, that share the rounds of a scenario. How a process lies in memory is
drawn anew with each, and moves its times by more than its own turns tell (Kalibera and Jones 2013, "Rigorous
Benchmarking in Reasonable Time")."""


def shares(rounds: int, processes: int) -> list[range]:
    """The rounds of each process, in their order; none has more than one more than another, and none has none."""
    parts = min(processes, rounds)
    return [range(rounds * part // parts, rounds * (part + 1) // parts) for part in range(parts)]


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
