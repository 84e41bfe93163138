"""Precision, recall, density and coverage together, beside prdc: time, and memory at its peak.

Ours finds recall and coverage without each of 20 groups as well, and authenticity.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from prdc import compute_prdc

from evalsuite.metrics import _neighbours
from evalsuite.metrics._neighbours import K, neighbourhood
from evalsuite.pairing import groups_of
from tests.benchmarks.test_frechet import features
from tests.benchmarks.turns import ratio_to

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

LEAST_SPEED, MOST_MEMORY = 2, 0.1
MOST_BYTES = 4 * 2**30


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_neighbours, "_balls", _neighbours._balls.__wrapped__)


def ours(n: int, dim: int) -> dict[str, float]:
    found = neighbourhood.__wrapped__(*features(n, dim), K, groups_of(np.arange(n), 1))
    return {
        "precision": float((found.balls > 0).mean()),
        "recall": float(found.recalled[0]),
        "density": float(found.balls.mean()) / K,
        "coverage": float(found.covered[0]),
    }


def by_prdc(n: int, dim: int) -> dict[str, float]:
    generated, reference = features(n, dim)
    return compute_prdc(reference, generated, K)  # type: ignore[no-any-return]


def peak_bytes(compute: Callable[[], Any]) -> int:
    """Beyond what was there before; NumPy reports its arrays."""
    tracemalloc.start()
    compute()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_all_four_beside_prdc(benchmark: BenchmarkFixture) -> None:
    n, dim = (10_000, 2048) if benchmark.enabled else (500, 205)
    found, expected, ratio = ratio_to(benchmark, lambda: ours(n, dim), lambda: by_prdc(n, dim))
    assert found == pytest.approx(expected, abs=2 / n)
    if ratio is not None:
        memory = peak_bytes(lambda: ours(n, dim)) / peak_bytes(lambda: by_prdc(n, dim))
        benchmark.extra_info["memory"] = memory
        assert ratio > LEAST_SPEED
        assert memory < MOST_MEMORY


def test_fifty_thousand_fit_in_four_gibibytes(benchmark: BenchmarkFixture) -> None:
    """Both sets of 2048 features included; blocks are of one size, so the set's copies are what grows."""
    n, dim = (50_000, 2048) if benchmark.enabled else (500, 205)
    sets = sum(side.nbytes for side in features(n, dim))
    peak = benchmark.pedantic(lambda: peak_bytes(lambda: ours(n, dim)), rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info["bytes"] = sets + peak
    assert sets + peak < MOST_BYTES
