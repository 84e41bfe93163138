"""Runs at commits, with values whose drift is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from evalsuite.history.points import Commit, RunPoints, points_of
from evalsuite.history.store import History
from evalsuite.records import Measurement, RunRecord
from tests.compare.inputs import of_rounds, of_samples, record

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def commit(number: int) -> Commit:
    """The commit of day ``number``; its name begins with that number."""
    return Commit(f"{number:04x}".ljust(40, "0"), BEGIN + timedelta(days=number))


def run_of(*cells: Measurement, number: int = 0) -> RunRecord:
    """A run at that commit, half an hour after it."""
    sha, committed = commit(number)
    assert committed is not None
    code = {"commit": sha, "committed": committed.isoformat(), "dirty": False}
    started = (committed + timedelta(minutes=30)).isoformat()
    return record(*cells).model_copy(update={"provenance": {"code": code, "started": started}})


def psnr(level: float, noise: Any = 0.0, **fields: Any) -> Measurement:
    """A mean of 100 samples of spread 3, the same at every commit but for the noise."""
    return of_samples(level + np.random.default_rng(7).normal(0, 3, 100) + noise, **fields)


def latency(level: float, seed: int = 0, **fields: Any) -> Measurement:
    return of_rounds(level * np.random.default_rng(seed).lognormal(0, 0.02, 12), **fields)


def filled(place: Path, levels: Sequence[float]) -> History:
    """A store of one series, ``psnr`` of ``student@cpu/all``, with such a level at each commit."""
    history = History(str(place), create=True)
    for number, level in enumerate(levels):
        history.add(points_of(run_of(psnr(level), number=number)))
    return history


def points(number: int = 0) -> RunPoints:
    return points_of(run_of(psnr(20.0 + number), latency(0.1, number), number=number))
