"""What the harness itself costs: beside a bare loop over a model's calls, and inside the clock of a timed call."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from evalsuite.models.contract import Batch, NoProbe
from evalsuite.pairing import seeds_of
from evalsuite.pipeline.conditions import Conditions
from evalsuite.pipeline.generate import Order, generate_missing
from evalsuite.pipeline.samples import spans
from evalsuite.profiling.subject import Subject, SubjectSpec
from evalsuite.records import Case
from evalsuite.scenarios.single_stream import SingleStream
from evalsuite.scenarios.stages import Stages
from evalsuite.store import Store
from evalsuite.targets.contract import Target
from tests.profiling.scripted import Bare, Scripted, scripted_plugins

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["scripted_plugins"]

pytestmark = pytest.mark.usefixtures("scripted_plugins")

BATCH_SIZE, NUM_BATCHES = 64, 8
MODEL = Scripted(call_s=0.05)  # 0.8 ms an image: as fast as a small one-step student on one core
MOST_OVERHEAD = 0.05
MOST_IN_A_CALL = 0.02
TEN_MILLISECONDS = 0.01
CONDITIONS = Conditions(tuple("abcdefghij"))


def order_of(store: Store, samples_key: str) -> Order:
    ids = np.arange(BATCH_SIZE * NUM_BATCHES, dtype=np.int64)
    case = Case("m@t/all", samples_key, "m", "student", "scripted", MODEL.model_dump(), "t", "all", ids)
    return Order(
        store, "bare", {"batch_size": BATCH_SIZE}, 0, CONDITIONS, ((case, tuple(spans(len(ids), BATCH_SIZE))),)
    )


def bare_loop() -> None:
    """Nothing but the model's calls."""
    target: Target = Bare()
    with MODEL.open(target) as model:
        for first in range(0, BATCH_SIZE * NUM_BATCHES, BATCH_SIZE):
            ids = np.arange(first, first + BATCH_SIZE, dtype=np.int64)
            model.generate(Batch(ids, ids, ids % 10), NoProbe())


def test_generation_costs_little_more_than_a_bare_loop(tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    """Seeds, labels, checks of the images, checksums and the cache together stay under 5 % of the model's time."""
    store, keys, bare_s = Store(tmp_path), count(), []

    def setup() -> tuple[tuple[Order, object], dict[str, object]]:
        """The bare loop takes turns with the harness, so that a drift of the machine falls on both."""
        begin = time.perf_counter()
        bare_loop()
        bare_s.append(time.perf_counter() - begin)
        return (order_of(store, f"key{next(keys)}"), lambda done, total: None), {}

    benchmark.pedantic(generate_missing, setup=setup, rounds=8)  # type: ignore[no-untyped-call]
    assert store.digest("samples", f"key0/0-{BATCH_SIZE}") is not None
    if benchmark.stats is not None:
        overhead = benchmark.stats.stats.median / float(np.median(bare_s)) - 1
        benchmark.extra_info["overhead"] = overhead
        assert overhead < MOST_OVERHEAD


def test_single_stream_adds_little_to_a_model_of_ten_milliseconds(benchmark: BenchmarkFixture) -> None:
    """What the clock adds to a call is what a model that does nothing takes."""
    subject = Subject(SubjectSpec("scripted", {}, "bare", {}))
    subject.load()
    ids = np.arange(1, dtype=np.int64)
    turn = benchmark(subject.measure, SingleStream(), [], [Batch(ids, seeds_of(ids, 0), ids)] * 100, 0)
    assert len(turn.series[""]) == 100
    if benchmark.enabled:
        benchmark.extra_info["overhead"] = float(np.median(turn.series[""])) / TEN_MILLISECONDS
        assert benchmark.extra_info["overhead"] < MOST_IN_A_CALL


@pytest.mark.parametrize("steps", [1, 4, 16])
def test_stages_of_known_durations(benchmark: BenchmarkFixture, steps: int) -> None:
    """A text encoder, steps and a decoder that sleep: each is found within 5 %, and they add up within 2 %."""
    sleeps = {"text_encoder": 0.1, "denoise": 0.05 * steps, "denoise_step": 0.05, "decode": 0.15}
    settings = {"stages": {"text_encoder": 0.1, "denoise": 0.05, "decode": 0.15}, "steps": steps}
    subject = Subject(SubjectSpec("scripted", settings, "bare", {}))
    subject.load()
    batches = [Batch(ids := np.array([number]), ids, ids) for number in range(8)]
    turn = benchmark.pedantic(subject.measure, (Stages(), [], batches, 0), rounds=1)  # type: ignore[no-untyped-call]
    if benchmark.enabled:
        for name, seconds in sleeps.items():
            assert float(np.median(turn.series[name])) == pytest.approx(seconds, rel=0.05)
        parts = sum(float(np.mean(turn.series[name])) for name in ("text_encoder", "denoise", "decode", "rest"))
        assert parts == pytest.approx(float(np.mean(turn.series[""])), rel=0.02)
