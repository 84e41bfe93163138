"""Scenario ``memory``: the peak of the process and of its device, by stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite.models.contract import Batch, Probe
from evalsuite.scenarios.contract import Peak
from evalsuite.scenarios.memory import Memory
from evalsuite.targets.cpu import Cpu
from tests.scenarios.subjects import batches

MB = 10**6
LOADED = Peak(300 * MB, None, None)


@dataclass
class Bookkeeper:
    """Has a memory that is written down: ``held`` now, and the ``most`` since the last reset.

    Attributes:
        own_memory: whether its device has memory of its own, half as large and reserved to the full.
    """

    load_peak: Peak = LOADED
    resettable: bool = True
    own_memory: bool = False
    target: Any = field(default_factory=Cpu)
    held: int = 200 * MB
    most: int = 300 * MB

    def hold(self, size: int) -> None:
        self.held = size
        self.most = max(self.most, size)

    def peak(self) -> Peak:
        return Peak(self.most, self.most // 2, self.most) if self.own_memory else Peak(self.most, None, None)

    def reset_peak(self) -> None:
        if self.resettable:
            self.most = self.held

    def generate(self, batch: Batch, probe: Probe) -> NDArray[np.uint8]:
        self.hold(210 * MB)
        with probe.stage("text_encoder"):
            self.hold(250 * MB)
            self.hold(200 * MB)
        for step in range(3):
            with probe.stage("denoise", step):
                self.hold((400 + step) * MB)
                self.hold(200 * MB)
        with probe.stage("decode"):
            self.hold(700 * MB)
        self.hold(200 * MB)
        return np.zeros((len(batch.sample_ids), 1, 2, 2), np.uint8)


def megabytes(subject: Bookkeeper) -> dict[str, float]:
    found = Memory().measure(subject, batches(1, size=4), 0)  # type: ignore[arg-type]
    return {name: values[0] / MB for name, values in found.items()}


def test_each_stage_has_the_peak_of_its_own_time() -> None:
    assert megabytes(Bookkeeper()) == {
        "": 700, "load": 300, "text_encoder": 250, "denoise": 402, "decode": 700, "rest": 700
    }  # fmt: skip


def test_device_with_memory_of_its_own_has_the_same_series() -> None:
    found = megabytes(Bookkeeper(own_memory=True, load_peak=Peak(300 * MB, 150 * MB, 300 * MB)))
    assert {found[name] for name in ("", "device_reserved")} == {700}
    assert (found["device"], found["device_load"], found["device_text_encoder"]) == (350, 150, 125)
    assert found["device_reserved_denoise"] == 402


def test_machine_that_cannot_reset_its_peak_has_no_stages() -> None:
    assert megabytes(Bookkeeper(resettable=False)) == {"": 700}


def test_two_processes_are_too_few() -> None:
    assert Memory().flaw([{"": [1.0]}] * 2) == "2 processes, and a valid measurement needs 3"
