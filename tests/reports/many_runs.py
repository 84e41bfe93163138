"""Many finished runs for leaderboards, made without any model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evalsuite.compare.leaderboard import Result
from evalsuite.records import Family, Measurement
from evalsuite.stats.single import interval_of
from tests.compare.inputs import measurement, of_processes, of_rounds, record

SLICES = ("class=shoe", "class=shirt")
SIZES = np.full(20, 50)


def results(count: int, models: Sequence[str], *, every: int = 1, sides: int = 1) -> list[Result]:
    """Runs of a teacher and one of the models each, in turns.

    Args:
        every: runs after which the next model comes.
        sides: sets of reference images in turn; each is a protocol of its own.
    """
    return [_result(i, models[i // every % len(models)], f"reference-{i % sides}") for i in range(count)]


def _result(index: int, model: str, reference: str) -> Result:
    cells = [cell for name in ("teacher", model) for cell in _cells(name, reference, index)]
    made = record(*cells)
    when = f"2026-{1 + index // 28 % 12:02}-{1 + index % 28:02}T12:00:00+00:00"
    return Result(
        f"small-{index:03}", made.model_copy(update={"provenance": {"finished": when}}), f"../runs/{index}/index.html"
    )


def _cells(model: str, reference: str, index: int) -> Iterator[Measurement]:
    level = 2.0 if model == "teacher" else 3.0 + sum(map(ord, model)) % 40 / 4
    common = np.random.default_rng(7).normal(size=20)
    own = np.random.default_rng([index, *map(ord, model)])
    role = "teacher" if model == "teacher" else "student"
    for slice_id in ("all", *SLICES):
        value = level + (0.5 if slice_id == "class=shoe" else 0) + 0.03 * float(own.normal())
        replicates = value + 0.02 * common + 0.004 * own.normal(size=20)
        cell = measurement(
            Family.FRECHET, value, model=model, role=role, slice=slice_id, replicates=replicates, group_sizes=SIZES,
            extractor="fashion-cnn", protocol={"reference": reference, "resize": "none"},
        )  # fmt: skip
        yield cell.model_copy(update={"interval": interval_of(cell)})
    rounds = 0.08 / level * (1 + 0.01 * own.normal(size=12))
    machine = {"environment.processor": "x86_64", "scenario": "single_stream"}
    yield of_rounds(rounds, model=model, role=role, metric="latency", against="none", protocol=machine)
    yield of_processes(1e8 / level + 1e5 * own.normal(size=3), model=model, role=role, against="none", protocol=machine)
