"""How much is measured: rounds, calls and processes, in the profiles ``ci``, ``standard`` and ``strict``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

TimedScenario = Literal["single_stream", "offline"]

LEAST_ROUNDS = 12
"""The signed-rank interval of a ratio needs some rounds to be narrow, and 12 also spread over drifts of the machine."""

LEAST_VALUES: Mapping[TimedScenario, int] = {"single_stream": 96, "offline": 12}
"""Calls over all rounds. 96 values bound p90 and p95; a percentile needs values above it."""

LEAST_PROCESSES = 3
"""Peak memory is nearly deterministic; three fresh processes show whether it is."""


MOST_CALLS = 1000
"""Calls in one turn, however fast the model is."""


@dataclass(frozen=True)
class Pace:
    """How one scenario is timed. Every call, timed or not, has the same settings.

    Attributes:
        rounds: turns of each model.
        calls: timed calls a turn, at least.
        seconds: duration of a turn, at least: a fast model gets more calls.
        warmups: untimed calls before the first turn.
        lead_in: untimed calls at the beginning of each turn, because the models before have used the caches.
    """

    rounds: int
    calls: int
    seconds: float
    warmups: int
    lead_in: int

    def calls_per_turn(self, fastest_s: float) -> int:
        """Calls of every turn of a model whose fastest warm-up took so long; decided once, before anything is timed."""
        return max(self.calls, min(MOST_CALLS, math.ceil(self.seconds / max(fastest_s, 1e-9))))


@dataclass(frozen=True)
class Profile:
    """How much of everything.

    Attributes:
        paces: by scenario.
        processes: fresh processes for peak memory.
        patience_s: silence after which a model counts as hung: for one turn, or for one batch.
    """

    paces: Mapping[TimedScenario, Pace]
    processes: int
    patience_s: float = 600.0


PROFILES: Mapping[str, Profile] = {
    "ci": Profile(
        {"single_stream": Pace(6, 4, 0.0, warmups=2, lead_in=1), "offline": Pace(6, 1, 0.0, warmups=1, lead_in=0)},
        processes=1,
    ),
    "standard": Profile(
        {"single_stream": Pace(12, 8, 0.25, warmups=3, lead_in=1), "offline": Pace(12, 1, 0.0, warmups=1, lead_in=0)},
        processes=3,
    ),
    "strict": Profile(
        {"single_stream": Pace(24, 20, 1.0, warmups=5, lead_in=2), "offline": Pace(24, 2, 1.0, warmups=2, lead_in=1)},
        processes=5,
    ),
}


def timing_flaw(scenario: TimedScenario, values: Sequence[Sequence[float]]) -> str:
    """What the values of a scenario lack to be valid, or ""."""
    rounds, calls = len(values), sum(map(len, values))
    if rounds < LEAST_ROUNDS:
        return f"{rounds} rounds, and a valid measurement needs {LEAST_ROUNDS}"
    if calls < LEAST_VALUES[scenario]:
        return f"{calls} values, and a valid measurement needs {LEAST_VALUES[scenario]}"
    return ""


def memory_flaw(values: Sequence[Sequence[float]]) -> str:
    """What the peaks of some processes lack to be valid, or ""."""
    if len(values) < LEAST_PROCESSES:
        return f"{len(values)} processes, and a valid measurement needs {LEAST_PROCESSES}"
    return ""
