"""Scenario ``memory``: what a fresh process needs to load a model and generate one batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import LEAST_PROCESSES, too_few_rounds
from evalsuite.scenarios.contract import Pace, Peak, Series, Subject
from evalsuite.settings import Settings

PACES: Mapping[ProfileName, Pace] = {"ci": Pace(3, 1), "standard": Pace(3, 1), "strict": Pace(6, 1)}
"""Fresh processes with one batch in each."""


class Memory(Settings):
    """Peaks in bytes: resident memory above that of the process without the model.

    Its series is the peak of all; ``load`` and each of the model's stages have one of their own, above the same idle
    state. On a device with memory of its own ``device`` and ``device_reserved`` are that one's, by stage
    ``device_load`` and so on.
    """

    kind: ClassVar[Literal["process"]] = "process"
    unit: ClassVar[str] = "bytes"

    def pace(self, profile: ProfileName) -> Pace:
        return PACES[profile]

    def images_per_call(self, of_target: int) -> int:
        return of_target

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """One value of each series.

        Raises:
            Failed: the model did not do what it was asked for.
        """
        before = subject.peak()
        probe = PeakProbe(subject)
        subject.generate(batches[0], probe)
        probe.note("rest")
        stages = {"load": subject.load_peak, **probe.peaks} if subject.resettable else {}
        return dict(_series([before, *probe.peaks.values()], stages))

    def flaw(self, rounds: Sequence[Series]) -> str:
        return too_few_rounds(rounds, LEAST_PROCESSES, "processes")


class PeakProbe:
    """Notes the peak of each stage; what lies between stages is ``rest``.

    Attributes:
        peaks: the highest of each stage so far.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject, self.peaks, self._inside = subject, dict[str, Peak](), ["rest"]
        subject.reset_peak()

    @contextmanager
    def stage(self, name: str, step: int | None = None) -> Iterator[None]:
        self.note(self._inside[-1])
        self._inside.append(name)
        try:
            yield
        finally:
            self.note(self._inside.pop())

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        return None

    def note(self, stage: str) -> None:
        """What ends now belonged to this stage."""
        self._subject.target.synchronize()
        self.peaks[stage] = _highest([self._subject.peak(), *([self.peaks[stage]] if stage in self.peaks else [])])
        self._subject.reset_peak()


def _highest(peaks: Sequence[Peak]) -> Peak:
    """The largest of each kind."""

    def largest(sizes: Iterable[int | None]) -> int | None:
        return max((size for size in sizes if size is not None), default=None)

    return Peak(
        max(peak.process for peak in peaks),
        largest(peak.device for peak in peaks),
        largest(peak.device_reserved for peak in peaks),
    )


def _series(peaks: Sequence[Peak], stages: dict[str, Peak]) -> Iterator[tuple[str, list[float]]]:
    for stage, peak in {"": _highest(peaks), **stages}.items():
        for name, size in {"": peak.process, "device": peak.device, "device_reserved": peak.device_reserved}.items():
            if size is not None:
                yield "_".join(filter(None, [name, stage])), [float(size)]
