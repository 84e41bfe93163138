"""Scenario ``energy``: joules that the device takes for an image, by its own counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from evalsuite.errors import Unavailable
from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import too_few_rounds
from evalsuite.scenarios._meters import meter_of
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings

PACES: Mapping[ProfileName, Pace] = {
    "ci": Pace(12, 1, 0.5, warmups=1),
    "standard": Pace(12, 1, 2.0, warmups=1),
    "strict": Pace(24, 2, 5.0, warmups=2, lead_in=1),
}
"""A GPU's counter may move ten times a second only, so turns are long beside that."""


class Energy(Settings):
    """Batches one after another, as in ``offline``, between two readings of the energy counters.

    The value of a turn is joules for an image, of the GPU on ``cuda`` and of the processor and its memory on ``cpu``; a
    series of the same unit for each part (``gpu``, ``package-0``, ``dram``). What else runs there is in it.
    """

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "J"

    def pace(self, profile: ProfileName) -> Pace:
        return PACES[profile]

    def images_per_call(self, of_target: int) -> int:
        return of_target

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """Joules for an image, once a turn.

        Raises:
            Unavailable: the machine has no counter, or it does not move.
        """
        meter = meter_of(subject.target.torch_device.partition(":")[0])
        before = meter.read()
        for batch in batches:
            subject.generate(batch)
        used = meter.used(before, meter.read())
        images = sum(len(batch.sample_ids) for batch in batches)
        if sum(used.values()) <= 0:
            raise Unavailable(f"the energy counters did not move while {images} images were generated")
        return {"": [sum(used.values()) / images], **{part: [joules / images] for part, joules in used.items()}}

    def flaw(self, rounds: Sequence[Series]) -> str:
        """Too few rounds."""
        return too_few_rounds(rounds)
