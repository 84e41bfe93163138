"""Leaderboards: what is never ranked together, which run of a model counts, and what stands beside its rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalsuite.compare.leaderboard import Result, leaderboards
from evalsuite.errors import UsageError
from evalsuite.records import Family, Measurement
from tests.compare.inputs import measurement, missing, of_rounds, of_samples, record


def result(*cells: Measurement, name: str = "run", seed: int = 0, finished: str = "2026-01-01", **suite: Any) -> Result:
    made = record(*cells, seed=seed)
    return Result(name, made.model_copy(update={"provenance": {"finished": finished}, "suite": made.suite | suite}))


def values(mean: float, seed: int, n: int = 60) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(mean, 1.0, n)


def test_different_protocols_get_boards_of_their_own() -> None:
    a, b = (measurement(Family.COUNT, 1.0, n=1, protocol={"reference": text}, name="size") for text in ("x", "y"))
    boards = leaderboards([result(a, a.model_copy(update={"model": "other"})), result(b)], "size")
    assert [[e.model for e in board.entries] for board in boards] == [["student", "other"], ["student"]]
    assert [board.protocol["reference"] for board in boards] == ["x", "y"]


def test_tasks_get_boards_of_their_own() -> None:
    cell = of_samples(values(0, 1))
    assert len(leaderboards([result(cell), result(cell, task="unconditional")])) == 2


def test_the_newest_run_of_a_model_counts_and_earlier_ones_are_its_history() -> None:
    runs = [
        result(of_samples(values(mean, 1)), name=f"run-{day}", finished=f"2026-01-0{day}")
        for day, mean in ((3, 0.3), (1, 0.1), (2, 0.2))
    ]
    (board,) = leaderboards(runs)
    (entry,) = board.entries
    assert entry.run == "run-3"
    assert [past.run for past in entry.history] == ["run-1", "run-2", "run-3"]
    assert entry.cell.per_sample is None


def test_slices_are_ranked_too_and_prices_stand_beside() -> None:
    cells = [
        cell
        for model, mean in (("student", 0.0), ("other", 3.0))
        for cell in (
            of_samples(values(mean, 1), model=model),
            of_samples(values(-mean, 2), model=model, slice="class=shoe"),
            of_rounds(0.01 + 0.001 * values(0, 1, 12) ** 2, model=model, metric="latency"),
        )
    ]
    (board,) = leaderboards([result(*cells)], "psnr")
    assert [(e.model, e.rank.high, e.slices["class=shoe"][1].low) for e in board.entries] == [
        ("other", 1, 2),
        ("student", 2, 1),
    ]
    assert [price.name for price in board.entries[0].prices] == ["latency_p50"]


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'psnr'"):
        leaderboards([result(of_samples(values(0, 1)))], "pnsr")


def test_runs_without_a_number_are_refused() -> None:
    with pytest.raises(UsageError, match="found no run with a metric"):
        leaderboards([Result("empty", record(missing("fid")))])
