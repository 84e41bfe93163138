"""What a scenario is: how requests reach a model in its process, and what is noted of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from evalsuite.models.contract import Batch, ModelAdapter, Probe
from evalsuite.profiles import ProfileName
from evalsuite.targets.contract import Target

MOST_CALLS = 1000
"""Calls in one turn, however fast the model is."""

LEAST_ROUNDS = 12
"""The signed-rank interval of a ratio needs some rounds to be narrow, and 12 also spread over drifts of the machine."""

Series = Mapping[str, Sequence[float]]
"""What one turn noted: values by the name of their series; "" is the scenario's own, ``denoise`` one of its parts."""


CLOCK, WAITING = "clock", "waiting"
"""Series that every scenario of turns gets besides: seconds of a fixed computation around each turn, and the share of
its time that the model had to wait for a processor."""


@dataclass(frozen=True)
class Pace:
    """How much of a scenario is measured. Every call, timed or not, has the same settings.

    Attributes:
        rounds: turns of each model; fresh processes for the kinds ``start`` and ``process``.
        calls: timed calls a turn, at least.
        seconds: duration of a turn, at least: a fast model gets more calls.
        warmups: untimed calls of a process before its first turn.
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


class Peak(NamedTuple):
    """Largest memory in bytes over some time.

    Attributes:
        process: resident, above what the process held before the model was loaded.
        device: allocated on a device with memory of its own; None where there is none.
        device_reserved: taken from that device by its allocator, whether in use or not; None where there is none.
    """

    process: int
    device: int | None
    device_reserved: int | None


class Subject(Protocol):
    """One model, alone in its process, as a scenario sees it.

    Attributes:
        target: started, with the model on it.
        adapter: the model's description.
        model: what the adapter loaded.
        load_s: seconds from nothing to a model that can be called; libraries were imported before.
        load_peak: memory while it was loaded.
        resettable: whether the machine can measure the peak of a part of the time; if not, ``peak`` is of all of it.
    """

    @property
    def target(self) -> Target: ...
    @property
    def adapter(self) -> ModelAdapter: ...
    @property
    def model(self) -> Any: ...
    @property
    def load_s(self) -> float: ...
    @property
    def load_peak(self) -> Peak: ...
    @property
    def resettable(self) -> bool: ...

    def generate(self, batch: Batch, probe: Probe | None = None) -> NDArray[np.uint8]:
        """Images of a batch; returns when the device has done its work.

        Raises:
            Failed: the model returned another number of images than it was asked for.
        """
        ...

    def reset_peak(self) -> None:
        """From now on ``peak`` is of what follows."""
        ...

    def peak(self) -> Peak:
        """Memory since the last ``reset_peak``, or since before the model was loaded."""
        ...


class Scenario(Protocol):
    """A way to put requests to a model; derives from Settings, is named like ``server:rate=20`` where a metric asks for
    it, and travels to the model's process, where ``measure`` runs.

    Attributes:
        kind: ``turns``: the live processes of all models of a target take turns, to and fro. ``start``: with the
            first call of each of some fresh processes. ``process``: once in each of some fresh processes, where those
            of ``start`` may have had their call before. ``checkpoint``: once for a model with its settings, in float32
            on the processor whatever the targets are, because they do not change it.
        unit: of the values: ``s``, ``bytes``, ``J``, ``1/s``, ``count``.
        units: of those series whose unit is another, by their names; optional.
        libraries: names of modules that ``measure`` needs and that take long to import; optional. They are imported
            before the model is loaded.
    """

    kind: ClassVar[Literal["turns", "start", "process", "checkpoint"]]
    unit: ClassVar[str]

    def pace(self, profile: ProfileName) -> Pace:
        """How much is measured under a profile."""
        ...

    def images_per_call(self, of_target: int) -> int:
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
