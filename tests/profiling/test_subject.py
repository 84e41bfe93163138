"""A real model in a process of its own: timed, and its memory measured."""

from __future__ import annotations

import platform

import numpy as np

from evalsuite.executors.local import Local
from evalsuite.models.contract import Batch
from evalsuite.pairing import seeds_of
from evalsuite.profiling.subject import Peak, Subject, SubjectSpec

WEIGHTS_BYTES = 3_700_000
"""Of ``fashion-1step`` on disk; in memory they take at least that."""


def test_bundled_student_on_the_processor() -> None:
    spec = SubjectSpec("zoo", {"name": "fashion-1step"}, "cpu", {"threads": 1, "batch_size": 4})
    ids = np.arange(4, dtype=np.int64)
    batch = Batch(ids, seeds_of(ids, 0), ids % 10)
    with Local().open(Subject, (spec,)) as worker:
        peak: Peak = worker.call("peak_memory", batch)
        seconds = worker.call("time", [batch, batch])
        environment = worker.call("environment")
    assert WEIGHTS_BYTES < peak.process < 2_000_000_000
    assert peak.device is None
    assert len(seconds) == 2
    assert min(seconds) > 0
    assert environment["device"] == "cpu"
    assert (environment["threads"], environment["dtype"]) == (1, "float32")
    assert environment["python"] == platform.python_version()
    assert environment["torch"]
