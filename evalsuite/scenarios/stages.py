"""Scenario ``stages``: where the time of a call goes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.models.contract import Batch
from evalsuite.scenarios._calls import seconds_of, too_few_rounds
from evalsuite.scenarios.contract import Pace, ProfileName, Series, Subject
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target

REST, PLAIN, STEP = "rest", "plain", "denoise_step"

PACES: Mapping[ProfileName, Pace] = {
    "ci": Pace(12, 2, warmups=2, lead_in=1),
    "standard": Pace(12, 4, 0.25, warmups=3, lead_in=1),
    "strict": Pace(24, 10, 1.0, warmups=5, lead_in=2),
}


class Stages(Settings):
    """Single images; the device is synchronised at the borders of the stages that the model marks.

    Its series is seconds of a call so probed. Each stage has one of its own, all steps of a call together, and
    ``rest`` is what lies outside them, so that they add up to the call; ``denoise_step`` holds every step of the
    denoiser. Probed calls alternate with ``plain`` ones, which show what probing costs.
    """

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "s"

    def pace(self, profile: ProfileName) -> Pace:
        return PACES[profile]

    def images_per_call(self, of_target: int) -> int:
        return 1

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """Seconds of each call and of its parts.

        Raises:
            Failed: the model did not do what it was asked for.
        """
        plain, probes = [], []
        for number, batch in enumerate(batches):
            if number % 2 == 0:
                plain.append(seconds_of(subject, batch))
            else:
                probe = StageProbe(subject.target)
                subject.generate(batch, probe)
                probes.append(probe.finished())
        names = dict.fromkeys(name for probe in probes for name in probe.seconds)
        parts = {name: [probe.seconds.get(name, 0.0) for probe in probes] for name in names}
        steps = [seconds for probe in probes for seconds in probe.steps]
        return {"": [probe.whole for probe in probes], PLAIN: plain, **parts, **({STEP: steps} if steps else {})}

    def flaw(self, rounds: Sequence[Series]) -> str:
        return too_few_rounds(rounds)


class StageProbe:
    """A clock that is read at every border. Time inside a stage that another encloses belongs to the inner one.

    Attributes:
        seconds: by stage, all its visits together.
        steps: of each visit of ``denoise`` that has a number, guidance evaluated apart counted together.
    """

    def __init__(self, target: Target) -> None:
        self._target, self._inside = target, [REST]
        self.seconds: dict[str, float] = {REST: 0.0}
        self._by_step: dict[int, float] = {}
        self._begin = self._last = time.perf_counter()

    @property
    def steps(self) -> list[float]:
        return list(self._by_step.values())

    @property
    def whole(self) -> float:
        """Seconds from the beginning to the last border."""
        return self._last - self._begin

    @contextmanager
    def stage(self, name: str, step: int | None = None) -> Iterator[None]:
        self._border()
        self._inside.append(name)
        before = self.seconds.get(name, 0.0)
        try:
            yield
        finally:
            self._border()
            self._inside.pop()
            if name == "denoise" and step is not None:
                self._by_step[step] = self._by_step.get(step, 0.0) + self.seconds[name] - before

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        return None

    def finished(self) -> StageProbe:
        """The call has returned."""
        self._border()
        return self

    def _border(self) -> None:
        """What ends here belonged to the stage that we are in."""
        self._target.synchronize()
        now = time.perf_counter()
        self.seconds[self._inside[-1]] = self.seconds.get(self._inside[-1], 0.0) + now - self._last
        self._last = now
