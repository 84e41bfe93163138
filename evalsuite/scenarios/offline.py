"""Scenario ``offline``: all requests are there at once, and are answered in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import seconds_of, too_few_rounds
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings

PACES: Mapping[ProfileName, Pace] = {
    "ci": Pace(12, 1, 0.05, warmups=1, lead_in=1),
    "standard": Pace(12, 1, 0.25, warmups=1, lead_in=1),
    "strict": Pace(24, 2, 1.0, warmups=2, lead_in=1),
}


class Offline(Settings):
    """Batches one after another (MLPerf's offline); its series is seconds by batch. Several scenarios are a sweep.

    Attributes:
        batch_size: images in a batch; None for the target's.
    """

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "s"

    batch_size: int | None = Field(default=None, ge=1)

    def pace(self, profile: ProfileName) -> Pace:
        return PACES[profile]

    def images_per_call(self, of_target: int) -> int:
        return self.batch_size or of_target

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """Seconds of each batch.

        Raises:
            Failed: the model did not do what it was asked for.
        """
        return {"": [seconds_of(subject, batch) for batch in batches]}

    def flaw(self, rounds: Sequence[Series]) -> str:
        return too_few_rounds(rounds)
