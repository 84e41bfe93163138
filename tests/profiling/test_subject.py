"""A real model in a process of its own: timed, and its memory measured."""

from __future__ import annotations

import os
import platform

import numpy as np

from evalsuite.executors.local import Local
from evalsuite.models.contract import Batch
from evalsuite.pairing import seeds_of
from evalsuite.profiling.subject import Subject, SubjectSpec, Turn
from evalsuite.scenarios.cold_start import ColdStart
from evalsuite.scenarios.memory import Memory
from evalsuite.scenarios.single_stream import SingleStream

WEIGHTS_BYTES = 3_700_000
"""Of ``fashion-1step`` on disk; in memory they take at least that."""


def batch(first: int, size: int) -> Batch:
    ids = np.arange(first, first + size, dtype=np.int64)
    return Batch(ids, seeds_of(ids, 0), ids % 10)


def test_bundled_student_on_the_processor() -> None:
    spec = SubjectSpec("zoo", {"name": "fashion-1step"}, "cpu", {"threads": 1, "batch_size": 4})
    with Local().open(Subject, (spec,)) as worker:
        worker.call("load")
        cold: Turn = worker.call("measure", ColdStart(), [], [batch(0, 1)], 0)
        memory: Turn = worker.call("measure", Memory(), [], [batch(1, 4)], 0)
        timed: Turn = worker.call("measure", SingleStream(), [batch(5, 1)], [batch(6, 1), batch(7, 1)], 0)
        environment = worker.call("environment")
        cores = os.sched_getaffinity(worker.pid)
    load, first_call = (cold.series[name][0] for name in ("load", "first_call"))
    assert cold.series[""] == [load + first_call]
    assert min(load, first_call) > 0
    assert WEIGHTS_BYTES < memory.series[""][0] < 2_000_000_000
    assert memory.series[""][0] >= max(memory.series[name][0] for name in ("load", "denoise", "rest"))
    assert not any(name.startswith("device") for name in memory.series)
    assert len(timed.series[""]) == 2
    assert 0 < min(timed.series[""]) < 60
    assert timed.last is not None
    assert (timed.last[0].tolist(), timed.last[1].shape) == ([7], (1, 1, 28, 28))
    assert cores == {max(os.sched_getaffinity(0))}, "with one thread, all models keep to one core"
    assert environment["cores"] == len(os.sched_getaffinity(0)), "and the environment is still the machine's"
    assert environment["device"] == "cpu"
    assert (environment["threads"], environment["dtype"]) == (1, "float32")
    assert environment["python"] == platform.python_version()
    assert environment["torch"]
