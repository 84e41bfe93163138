"""Scenario ``stages``: where the time of a call goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import seconds_of, too_few_rounds
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings
from evalsuite.targets.contract import Target

REST, PLAIN, STEP = "rest", "plain", "denoise_step"

PACES: Mapping[ProfileName, Pace] = {
    "ci": Pace(12, 2, warmups=2, lead_in=1),
    "standard": Pace(12, 4, 0.25, warmups=3, lead_in=1),
    "strict": Pace(24, 10, 1.0, warmups=5, lead_in=2),
}


class Stages(Settings):
    """Single images; the moment at which the device reaches each border of the model's stages is noted.

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
        plain, probed = [], []
        for number, batch in enumerate(batches):
            if number % 2 == 0:
                plain.append(seconds_of(subject, batch))
            else:
                probe = StageProbe(subject.target)
                subject.generate(batch, probe)
                probed.append(probe.finished())
        names = dict.fromkeys(name for call in probed for name in call.stages)
        parts = {name: [call.stages.get(name, 0.0) for call in probed] for name in names}
        steps = [seconds for call in probed for seconds in call.steps]
        return {"": [call.whole for call in probed], PLAIN: plain, **parts, **({STEP: steps} if steps else {})}

    def flaw(self, rounds: Sequence[Series]) -> str:
        return too_few_rounds(rounds)


class Visit(NamedTuple):
    """A stage that a model is in, and which of its steps where they are numbered."""

    stage: str
    step: int | None


class Breakdown(NamedTuple):
    """Where the time of one call went.

    Attributes:
        whole: seconds of the call.
        stages: seconds by stage, all its visits together; they add up to the whole.
        steps: seconds of each numbered step of ``denoise``, guidance evaluated apart counted together.
    """

    whole: float
    stages: dict[str, float]
    steps: list[float]


class StageProbe:
    """Marks every border. Time inside a stage that another encloses belongs to the inner one.

    Nothing is computed before the call is over, because the device may not have reached the borders by then.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._inside = [Visit(REST, None)]
        self._between: list[Visit] = []
        self._marks = [target.mark()]

    @contextmanager
    def stage(self, name: str, step: int | None = None) -> Iterator[None]:
        self._border()
        self._inside.append(Visit(name, step))
        try:
            yield
        finally:
            self._border()
            self._inside.pop()

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        return None

    def finished(self) -> Breakdown:
        """The call has returned."""
        self._border()
        stages: dict[str, float] = {REST: 0.0}
        steps: dict[int, float] = {}
        for visit, seconds in zip(self._between, self._target.seconds_between(self._marks), strict=True):
            stages[visit.stage] = stages.get(visit.stage, 0.0) + seconds
            if visit.stage == "denoise" and visit.step is not None:
                steps[visit.step] = steps.get(visit.step, 0.0) + seconds
        return Breakdown(sum(stages.values()), stages, list(steps.values()))

    def _border(self) -> None:
        """What ends here belonged to the stage that we are in."""
        self._marks.append(self._target.mark())
        self._between.append(self._inside[-1])
