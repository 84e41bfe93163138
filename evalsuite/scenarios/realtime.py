"""Scenario ``realtime``: a new frame is wanted every 1/fps seconds, and one that cannot begin in time is dropped."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import too_few_rounds
from evalsuite.scenarios._serving import wait_until
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings

LEAST_SECONDS = {"ci": 0.25, "standard": 1.0, "strict": 3.0}
"""Duration of a turn by profile."""

LEAST_FRAMES = {"ci": 8, "standard": 24, "strict": 48}
"""Frames of a turn by profile."""


class Shown(NamedTuple):
    """A frame that was shown, so many seconds after the first was released."""

    frame: int
    at: float


class Realtime(Settings):
    """Frame k is released k / fps seconds after the first and due one frame later. The model works on the newest frame
    that is released; those that were released before it and had not begun are dropped.

    The value of a frame is the time from its release until it, or a newer one, is shown: a dropped frame has one too.
    The series ``shown`` is when frames were shown, in seconds from the first release.

    Attributes:
        fps: frames a second.
    """

    fps: float = Field(gt=0, allow_inf_nan=False)

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "s"

    def pace(self, profile: ProfileName) -> Pace:
        """A turn lasts a second under ``standard``, and has 24 frames at least."""
        frames = max(LEAST_FRAMES[profile], math.ceil(self.fps * LEAST_SECONDS[profile]))
        paces = {
            "ci": Pace(12, frames, warmups=2, lead_in=1),
            "standard": Pace(12, frames, warmups=3, lead_in=1),
            "strict": Pace(24, frames, warmups=5, lead_in=2),
        }
        return paces[profile]

    def images_per_call(self, of_target: int) -> int:
        """A call makes one frame."""
        return 1

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """As many frames as there are batches; nothing is random."""
        frames, shown = len(batches), list[Shown]()
        begin, next_frame = time.perf_counter(), 0
        while not shown or shown[-1].frame < frames - 1:
            wait_until(begin + next_frame / self.fps)
            subject.generate(batches[len(shown)])
            now = time.perf_counter() - begin
            shown.append(Shown(next_frame, now))
            next_frame = max(next_frame + 1, math.floor(now * self.fps))
        return {"": delays(shown, frames, self.fps), "shown": [one.at for one in shown]}

    def flaw(self, rounds: Sequence[Series]) -> str:
        """Too few rounds."""
        return too_few_rounds(rounds)


def delays(shown: Sequence[Shown], frames: int, fps: float) -> list[float]:
    """Seconds from the release of each of the first ``frames`` frames until it or a newer one was shown.

    Args:
        shown: with increasing frames, the last of them at least ``frames - 1``.
        frames: how many.
        fps: frames a second.
    """
    found: list[float] = []
    for frame, at in shown:
        found += [at - dropped_or_shown / fps for dropped_or_shown in range(len(found), min(frame + 1, frames))]
    return found
