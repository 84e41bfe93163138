"""A queue with one worker in real time: requests come when the clock says so, whether the model is ready or not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from evalsuite.models.contract import Batch
from evalsuite.scenarios._queue import Floats
from evalsuite.scenarios.contract import Subject

SPIN_S = 0.0005
"""The end of each wait is spent awake: Linux wakes a sleeper 0.1 ms late as a rule. The model is idle then anyway."""


class Served(NamedTuple):
    """What became of some requests, in the order of their arrival.

    Attributes:
        response: seconds from arrival to completion.
        service: seconds of these in the model.
    """

    response: list[float]
    service: list[float]


def serve(subject: Subject, batches: Sequence[Batch], arrivals: Floats) -> Served:
    """Put each batch to the model as soon as it has arrived and those before it are done.

    Args:
        subject: the model.
        batches: the requests.
        arrivals: float64 ``[N]``, seconds from now, increasing.
    """
    served = Served([], [])
    begin = time.perf_counter()
    for batch, arrival in zip(batches, arrivals.tolist(), strict=True):
        wait_until(begin + arrival)
        started = time.perf_counter()
        subject.generate(batch)
        done = time.perf_counter()
        served.response.append(done - begin - arrival)
        served.service.append(done - started)
    return served


def wait_until(moment: float) -> None:
    """Return at a time of ``time.perf_counter``, at once if it is past; the processor is free for nearly all of it."""
    while (left := moment - time.perf_counter()) > 0:
        if left > SPIN_S:
            time.sleep(left - SPIN_S)
