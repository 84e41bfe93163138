"""Questions to a history of a million points: each is answered in less than a second."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import insert, select

from evalsuite.files import content_key
from evalsuite.history import tables
from evalsuite.history.points import SeriesKey
from evalsuite.history.store import History, Selection
from tests.history.runs import BEGIN

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

MODELS, METRICS, SLICES, RUNS = 4, 10, 10, 2500
"""400 series of 2500 commits each."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    """A store of a million points; where benchmarks are off, of a hundredth of them."""
    runs = (
        RUNS // 100
        if request.config.getoption("--benchmark-disable") and not request.config.getoption("--benchmark-enable")
        else RUNS
    )
    history = History(str(tmp_path_factory.mktemp("history") / "history.db"), create=True)
    keys = [
        SeriesKey("large", f"metric-{metric}", "reference", f"model-{model}", "cpu", f"slice={part}", "{}")
        for metric in range(METRICS)
        for model in range(MODELS)
        for part in range(SLICES)
    ]
    times = [BEGIN.replace(tzinfo=None) + timedelta(hours=number) for number in range(runs)]
    values = np.random.default_rng(0).normal(10, 1, (runs, len(keys)))
    deviations = bytes(4 * 20)
    with history.engine.begin() as connection:
        of_suite = {"suite": "large"}
        rows = [
            {"key": f"{number:064x}", "commit_sha": f"{number:040x}", "at": at, "started": at, **of_suite}
            for number, at in enumerate(times)
        ]
        connection.execute(insert(tables.runs), rows)
        own = {"unit": "", "higher_is_better": False}
        connection.execute(insert(tables.series), [{"key": content_key(key), **key._asdict(), **own} for key in keys])
        run_ids = connection.scalars(select(tables.runs.c.id).order_by(tables.runs.c.at)).all()
        series_ids = connection.scalars(select(tables.series.c.id)).all()
        for run_id, at, of_run in zip(run_ids, times, values.tolist(), strict=True):
            common = {"at": at, "run_id": run_id, "level": 0.95, "n": 1000, "deviations": deviations}
            points = [
                {"series_id": series_id, "value": value, "low": value - 1, "high": value + 1, **common}
                for series_id, value in zip(series_ids, of_run, strict=True)
            ]
            connection.execute(insert(tables.points), points)
    return history.name


@pytest.mark.parametrize(
    ("selection", "last", "series"),
    [
        (Selection(), 20, MODELS * METRICS * SLICES),
        (Selection(metric="metric-3", slice="slice=0"), None, MODELS),
        (Selection(metric="metric-3", model="model-1", slice="slice=0"), None, 1),
    ],
    ids=["the newest of all", "all of one metric", "all of one series"],
)
def test_a_question_takes_less_than_a_second(
    benchmark: BenchmarkFixture, place: str, selection: Selection, last: int | None, series: int
) -> None:
    found = benchmark.pedantic(lambda: History(place).read("large", selection, last), rounds=5)
    assert len(found) == series
    assert {len(one.points) for one in found} <= {last, RUNS, RUNS // 100}
    if benchmark.stats is not None:
        assert benchmark.stats.stats.median < 1
