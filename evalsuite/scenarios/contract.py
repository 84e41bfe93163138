"""What a scenario is: how requests reach a model in its process, and what is noted of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.models.contract import Batch, ModelAdapter, Probe
from evalsuite.targets.contract import Target

ProfileName = Literal["ci", "standard", "strict"]

MOST_CALLS = 1000
"""Calls in one turn, however fast the model is."""

Series = Mapping[str, Sequence[float]]
"""What one turn noted: values by the name of their series; "" is the scenario's own, ``denoise`` one of its parts."""


@dataclass(frozen=True)
class Pace:
    """How much of a scenario is measured. Every call, timed or not, has the same settings.

    Attributes:
        rounds: turns of each model; fresh processes for the kind ``process``.
        calls: timed calls a turn, at least.
        seconds: duration of a turn, at least: a fast model gets more calls.
        warmups: untimed calls before the first turn.
        lead_in: untimed calls at the beginning of each turn, because the models before have used the caches.
    """

    rounds: int
    calls: int
    seconds: float = 0.0
    warmups: int = 0
    lead_in: int = 0

    def calls_per_turn(self, fastest_s: float) -> int:
        """Calls of every turn of a model whose fastest warm-up took so long; decided once, before anything is timed."""
        return max(self.calls, min(MOST_CALLS, math.ceil(self.seconds / max(fastest_s, 1e-9))))


class Subject(Protocol):
    """One model, alone in its process, as a scenario sees it.

    Attributes:
        target: started, with the model on it.
        adapter: the model's description.
        model: what the adapter loaded.
        load_s: seconds from nothing to a model that can be called.
    """

    @property
    def target(self) -> Target: ...
    @property
    def adapter(self) -> ModelAdapter: ...
    @property
    def model(self) -> Any: ...
    @property
    def load_s(self) -> float: ...

    def generate(self, batch: Batch, probe: Probe | None = None) -> NDArray[np.uint8]:
        """Images of a batch; returns when the device has done its work.

        Raises:
            Failed: the model returned another number of images than it was asked for.
        """
        ...


class Scenario(Protocol):
    """A way to put requests to a model; derives from Settings, is named like ``server:rate=20`` where a metric asks for
    it, and travels to the model's process, where ``measure`` runs.

    Attributes:
        kind: ``turns``: the live processes of all models of a target take turns, in ABBA order. ``process``: once in
            each of some fresh processes, before anything else is generated there. ``checkpoint``: once for a model with
            its settings, in float32 on the processor whatever the targets are, because they do not change it.
        unit: of the values: ``s``, ``bytes``, ``J``, ``count``.
    """

    kind: ClassVar[Literal["turns", "process", "checkpoint"]]
    unit: ClassVar[str]

    def pace(self, profile: ProfileName) -> Pace:
        """How much is measured under a profile."""
        ...

    def batch_size(self, of_target: int) -> int:
        """Images in one call, given the target's ``batch_size``."""
        ...

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """One turn (or one process), a batch a call.

        Args:
            subject: the model.
            batches: never seen by the model before.
            seed: of arrivals and the like; the same for every model, another in every round.

        Raises:
            Skipped, Unavailable: it cannot be measured here.
            Failed: the model did not do what it was asked for.
        """
        ...

    def flaw(self, rounds: Sequence[Series]) -> str:
        """Which rule of the scenario the rounds broke, so that nothing may be decided on them; or ""."""
        ...
