"""Scenario ``cold_start``: from a process without the model to its first image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import LEAST_PROCESSES, seconds_of, too_few_rounds
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings

PACES: Mapping[ProfileName, Pace] = {"ci": Pace(6, 1), "standard": Pace(6, 1), "strict": Pace(12, 1)}
"""Fresh processes with one call in each; an interval needs six."""


class ColdStart(Settings):
    """Seconds to load the model and make one image, in fresh processes.

    Its series is the sum of its parts: ``load``, and ``first_call``, which includes whatever is compiled then. Weights
    may be in the operating system's cache; libraries were imported before, since they are the same for all models.
    """

    kind: ClassVar[Literal["start"]] = "start"
    unit: ClassVar[str] = "s"

    def pace(self, profile: ProfileName) -> Pace:
        return PACES[profile]

    def images_per_call(self, of_target: int) -> int:
        return 1

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """One value of each series.

        Raises:
            Failed: the model did not do what it was asked for.
        """
        first_call = seconds_of(subject, batches[0])
        return {"": [subject.load_s + first_call], "load": [subject.load_s], "first_call": [first_call]}

    def flaw(self, rounds: Sequence[Series]) -> str:
        return too_few_rounds(rounds, LEAST_PROCESSES, "processes")
