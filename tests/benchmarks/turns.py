"""Two implementations that take turns in one process, so that a drift of the machine falls on both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


def ratio_to(
    benchmark: BenchmarkFixture, ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int = 3
) -> tuple[Any, Any, float | None]:
    """Results of both, and how many times longer theirs takes by the median; None where benchmarks are off."""
    results: list[Any] = []
    their_s: list[float] = []

    def setup() -> None:
        begin = time.perf_counter()
        results.append(theirs())
        their_s.append(time.perf_counter() - begin)

    found = benchmark.pedantic(ours, setup=setup, rounds=rounds)  # type: ignore[no-untyped-call]
    if benchmark.stats is None:
        return found, results[-1], None
    ratio = float(np.median(their_s)) / benchmark.stats.stats.median
    benchmark.extra_info["ratio"] = ratio
    return found, results[-1], ratio
