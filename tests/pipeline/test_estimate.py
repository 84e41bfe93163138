"""The cost of a plan: what the cache lacks, and what earlier timings tell about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.executors.local import Local
from evalsuite.pipeline.estimate import Cost, estimate, total
from evalsuite.pipeline.generate import generate
from evalsuite.pipeline.plan import make_plan
from evalsuite.records import RunRecord, Timings
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import model, suite_of

STRONGER = {"kind": "latent", "settings": {"scale": [1.1]}}


def zoo(**settings: Any) -> dict[str, Any]:
    return {"role": "teacher", "adapter": "zoo", "settings": {"name": "fashion-teacher", "num_steps": 8, **settings}}


def costs_of(suite: Suite, folder: Path, *records: RunRecord) -> list[Cost]:
    return estimate(suite, make_plan(suite, allow_code=True), records, Store(folder / "cache"))


def timed(suite: Suite, batch_size: int, call_s: float, key: str = "m@cpu/all") -> RunRecord:
    """An earlier run of the suite in which every call took the same time."""
    timings = Timings(
        case_key=key,
        scenario="offline",
        batch_size=batch_size,
        unit="s",
        warmups=1,
        values=[[call_s] * 3] * 2,
        environment={},
    )
    return RunRecord(
        suite=suite.model_dump(mode="json"), suite_hash="", environment={}, provenance={}, timings=[timings]
    )


def test_bytes_are_pixels_and_unknown_times_stay_unknown(tmp_path: Path) -> None:
    assert costs_of(suite_of({"m": zoo()}), tmp_path) == [Cost("m@cpu/all", 40, 0, 40 * 28 * 28, None, None)]


def test_only_the_model_knows_the_size_of_its_images(tmp_path: Path) -> None:
    (cost,) = costs_of(suite_of({"m": model(tmp_path, "good")}), tmp_path)
    assert cost.bytes is None


def test_what_is_cached_costs_nothing(tmp_path: Path) -> None:
    few, many = (suite_of({"m": model(tmp_path, "good")}, num_samples=n) for n in (32, 50))
    store = Store(tmp_path / "cache")
    plan = make_plan(few, allow_code=True)
    generate(few, plan, executor=Local(), store=store, listener=lambda event: None, timeout_s=60)
    assert costs_of(few, tmp_path) == [Cost("m@cpu/all", 32, 32, 0, 0.0, 0)]
    assert costs_of(many, tmp_path, timed(many, 10, 5.0)) == [Cost("m@cpu/all", 50, 32, None, 18 * 0.5, None)]


def test_an_earlier_runs_timings_give_the_time(tmp_path: Path) -> None:
    """64 images in 3.2 s are 0.05 s each; a slice of the same steps takes as long; a subset takes nothing."""
    suite = suite_of({"m": zoo()}, slices=[STRONGER, {"kind": "attribute", "settings": {"by": "class"}}])
    costs = {cost.case_key: cost for cost in costs_of(suite, tmp_path, timed(suite, 64, 3.2))}
    assert costs["m@cpu/all"].seconds == pytest.approx(40 * 0.05)
    assert costs["m@cpu/latent.scale=1.1"].seconds == pytest.approx(40 * 0.05)
    assert costs["m@cpu/class=bag"] == Cost("m@cpu/class=bag", 0, 0, 0, 0.0, 0)


def test_the_highest_peak_of_an_earlier_runs_processes_is_the_memory(tmp_path: Path) -> None:
    suite = suite_of({"m": zoo()})
    record = timed(suite, 64, 3.2)
    peaks = record.timings[0].model_copy(
        update={"scenario": "memory", "unit": "bytes", "values": [[3e8], [5e8], [4e8]]}
    )
    (cost,) = costs_of(suite, tmp_path, record.model_copy(update={"timings": [*record.timings, peaks]}))
    assert cost.memory_bytes == 500_000_000


def test_more_steps_take_more_time(tmp_path: Path) -> None:
    suite = suite_of({"m": zoo()}, slices=[{"kind": "num_steps", "settings": {"steps": [16]}}])
    whole, longer = costs_of(suite, tmp_path, timed(suite, 64, 3.2))
    assert whole.seconds is not None
    assert longer.seconds == pytest.approx(2 * whole.seconds)


def test_timings_of_another_setting_do_not_count(tmp_path: Path) -> None:
    suite, other = suite_of({"m": zoo()}), suite_of({"m": zoo(num_steps=4)})
    (cost,) = costs_of(suite, tmp_path, timed(other, 64, 3.2))
    assert cost.seconds is None


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    assert total([1.0, None, 2.0]) is None
    assert total([1.0, 2.0]) == 3.0
