"""Timings whose values are known, through metrics and intervals to comparisons with the teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evalsuite.compare.tables import against_teacher
from evalsuite.executors.local import Local
from evalsuite.pipeline.extract import extract
from evalsuite.pipeline.generate import generate
from evalsuite.pipeline.measure import Cells, measure
from evalsuite.pipeline.plan import make_plan
from evalsuite.records import Comparison, Measurement, RunRecord, Timings
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import model, suite_of

METRICS = {"deadline_misses": {"fps": 10}, "cost": {}, "num_parameters": {}}
LATE = {"teacher": 6, "student": 2}
"""Frames of ten that miss their deadline, in the first round; in every other round one more."""


def timed(name: str) -> list[Timings]:
    """Twelve rounds: frames of which some are late, batches of 0.5 s (1 s for the teacher), and 4000 parameters a
    late frame."""
    frames = [[0.2] * (LATE[name] + i % 2) + [0.05] * (10 - LATE[name] - i % 2) for i in range(12)]
    seconds = [[0.5 if name == "student" else 1.0]] * 12
    noted = {
        ("realtime:fps=10", ""): frames,
        ("offline", ""): seconds,
        ("footprint", ""): [[1.0]],
        ("footprint", "parameters"): [[4000.0 * LATE[name]]],
    }
    return [
        Timings(case_key=f"{name}@cpu/all", scenario=scenario, series=series, batch_size=10, unit="s", warmups=0,
                values=values, environment={})
        for (scenario, series), values in noted.items()
    ]  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Suite, Cells]:
    folder = tmp_path_factory.mktemp("timed")
    metrics = [{"name": name, "metric": name, "settings": settings} for name, settings in METRICS.items()]
    models = {"teacher": model(folder, "good", "teacher"), "student": model(folder, "near")}
    suite = priced(suite_of(models, num_samples=20, metrics=metrics), folder)
    plan, common = make_plan(suite, allow_code=True), {"store": Store(folder / "cache"), "listener": lambda event: None}
    samples = generate(suite, plan, executor=Local(), timeout_s=60.0, **common)
    features = extract(suite, plan, samples, executor=Local(), timeout_s=60.0, **common)
    timings = [one for name in LATE for one in timed(name)]
    return suite, measure(suite, plan, samples, features, timings, [], **common)


def priced(suite: Suite, folder: Path) -> Suite:
    """The suite with a price on its target."""
    content = suite.model_dump(mode="json")
    content["targets"]["cpu"]["settings"]["price_per_hour"] = 3.6
    return Suite.model_validate(content)


def value(found: tuple[Suite, Cells], name: str, model: str = "student") -> Measurement:
    (one,) = [m for m in found[1][0] if (m.name, m.model) == (name, model)]
    return one


def compared(found: tuple[Suite, Cells], name: str) -> Comparison:
    suite, (measurements, missing) = found
    record = RunRecord(suite=suite.model_dump(mode="json"), suite_hash="", environment={}, provenance={},
                       measurements=measurements, missing=missing)  # fmt: skip
    (one,) = [c for c in against_teacher(record) if c.name == name]
    return one


def test_nothing_is_missing(found):
    assert found[1][1] == []


def test_shares_of_frames_are_compared_round_by_round(found):
    misses = value(found, "deadline_misses")
    assert misses.value == pytest.approx(0.25)
    assert misses.interval.low < 0.25 < misses.interval.high
    np.testing.assert_array_equal(misses.sample_ids, np.arange(12))
    difference = compared(found, "deadline_misses")
    # Late frames come and go in the same rounds for both, so that only a paired difference has no error at all.
    assert (difference.scale, difference.paired, difference.standard_error) == ("difference", True, pytest.approx(0))
    assert difference.value == pytest.approx(-0.4)
    assert difference.better


def test_cost_follows_throughput(found):
    """20 images/s for 3.6 USD an hour: 1,000 images take 50 s."""
    assert value(found, "cost").value == pytest.approx(0.05)
    assert value(found, "cost").unit == "USD"
    assert compared(found, "cost").value == pytest.approx(0.5)


def test_counts_are_exact(found):
    parameters = value(found, "num_parameters")
    assert (parameters.value, parameters.interval.low, parameters.interval.high) == (8000, 8000, 8000)
    assert "environment.threads" not in parameters.protocol
    ratio = compared(found, "num_parameters")
    assert (ratio.value, ratio.p_value) == (pytest.approx(1 / 3), None)
