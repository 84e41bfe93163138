"""Scenario ``stages``: what a model of known durations takes in each stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import PrivateAttr

from evalsuite.models.contract import Batch, NoProbe, Probe
from evalsuite.scenarios.stages import StageProbe, Stages
from evalsuite.targets import _torch_target
from evalsuite.targets.cpu import Cpu
from tests.scenarios.subjects import batches


@dataclass
class Clock:
    """A clock that only the model moves, so that durations are known to the last bit."""

    now_s: float = 0.0

    def perf_counter(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class Staged:
    """Encodes a text, takes steps, decodes; a step with guidance evaluates the network twice."""

    clock: Clock
    steps: int
    guided: bool = False
    target: Any = field(default_factory=Cpu)

    def generate(self, batch: Batch, probe: Probe | None = None) -> NDArray[np.uint8]:
        probe = probe or NoProbe()
        with probe.stage("text_encoder"):
            self.clock.sleep(0.5)
        self.clock.sleep(0.125)
        for step in range(self.steps):
            for _ in range(2 if self.guided else 1):
                with probe.stage("denoise", step):
                    self.clock.sleep(0.25)
        with probe.stage("decode"):
            self.clock.sleep(1.0)
        return np.zeros((1, 1, 2, 2), np.uint8)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_torch_target, "time", SimpleNamespace(perf_counter=clock.perf_counter))
    return clock


@pytest.mark.parametrize("steps", [1, 4, 16])
@pytest.mark.parametrize("guided", [False, True])
def test_stages_are_told_apart_and_add_up(clock: Clock, steps: int, guided: bool) -> None:
    series = Stages().measure(Staged(clock, steps, guided), batches(4), 0)  # type: ignore[arg-type]
    evaluation = 0.5 if guided else 0.25
    assert series["text_encoder"] == [0.5, 0.5]
    assert series["denoise"] == [evaluation * steps] * 2
    assert series["denoise_step"] == [evaluation] * 2 * steps
    assert series["decode"] == [1.0, 1.0]
    assert series["rest"] == [0.125, 0.125]
    parts = sum(np.array(series[name]) for name in ("text_encoder", "denoise", "decode", "rest"))
    assert series[""] == parts.tolist() == series["plain"]  # type: ignore[union-attr]


def test_model_without_stages_is_all_rest(clock: Clock) -> None:
    class Plain(Staged):
        def generate(self, batch: Batch, probe: Probe | None = None) -> NDArray[np.uint8]:
            self.clock.sleep(0.25)
            return np.zeros((1, 1, 2, 2), np.uint8)

    series = Stages().measure(Plain(clock, 1), batches(2), 0)  # type: ignore[arg-type]
    assert series == {"": [0.25], "plain": [0.25], "rest": [0.25]}


def test_time_in_a_stage_within_a_stage_belongs_to_the_inner_one(clock: Clock) -> None:
    probe = StageProbe(Cpu())
    with probe.stage("denoise", 0):
        clock.sleep(1.0)
        with probe.stage("decode"):
            clock.sleep(2.0)
        clock.sleep(4.0)
    assert probe.finished() == (7.0, {"rest": 0.0, "denoise": 5.0, "decode": 2.0}, [5.0])


class Lagging(Cpu):
    """A device that does what it was asked for later: nobody may wait for it before the call is over."""

    def mark(self) -> list[float]:
        moment: list[float] = []
        self._asked.append(moment)
        return moment

    def seconds_between(self, marks: Sequence[Any]) -> list[float]:
        for number, moment in enumerate(self._asked):
            moment.append(float(number**2))
        return [end[0] - begin[0] for begin, end in pairwise(marks)]

    _asked: list[list[float]] = PrivateAttr(default_factory=list)


def test_borders_are_read_when_the_device_has_passed_them() -> None:
    probe = StageProbe(Lagging())
    with probe.stage("denoise", 0):
        pass
    with probe.stage("denoise", 1):
        pass
    assert probe.finished() == (25.0, {"rest": 1.0 + 5.0 + 9.0, "denoise": 3.0 + 7.0}, [3.0, 7.0])


def test_few_rounds_are_a_flaw() -> None:
    assert Stages().flaw([{"": [1.0]}] * 11).startswith("11 rounds")
