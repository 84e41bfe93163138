"""Scenario ``single_stream``: one request after another, each for one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import seconds_of, too_few_rounds
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings

LEAST_VALUES = 44
"""Calls over all rounds: so many bound the 90th percentile with 99 % confidence."""

PACES: Mapping[ProfileName, Pace] = {
    "ci": Pace(12, 4, 0.05, warmups=2, lead_in=1),
    "standard": Pace(24, 4, 0.125, warmups=3, lead_in=1),
    "strict": Pace(24, 20, 1.0, warmups=5, lead_in=2),
}
"""``standard`` has the 90 values that the 95th percentile needs, ``strict`` the 459 of the 99th."""


class SingleStream(Settings):
    """The next request comes when the last is answered (MLPerf's single-stream); its series is seconds by call."""

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "s"

    def pace(self, profile: ProfileName) -> Pace:
        return PACES[profile]

    def images_per_call(self, of_target: int) -> int:
        return 1

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """Seconds of each call.

        Raises:
            Failed: the model did not do what it was asked for.
        """
        return {"": [seconds_of(subject, batch) for batch in batches]}

    def flaw(self, rounds: Sequence[Series]) -> str:
        calls = sum(len(series[""]) for series in rounds)
        too_few = f"{calls} values, and a valid measurement needs {LEAST_VALUES}" if calls < LEAST_VALUES else ""
        return too_few_rounds(rounds) or too_few
