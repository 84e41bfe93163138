"""What scenarios share that make one call after another."""

from __future__ import annotations

import time
from collections.abc import Sequence

from evalsuite.models.contract import Batch, Probe
from evalsuite.scenarios.contract import LEAST_ROUNDS, Series, Subject

LEAST_PROCESSES = 3
"""What a fresh process shows is nearly the same each time; three of them show whether it is."""


def seconds_of(subject: Subject, batch: Batch, probe: Probe | None = None) -> float:
    """Seconds of one call, the device's work included."""
    begin = time.perf_counter_ns()
    subject.generate(batch, probe)
    return (time.perf_counter_ns() - begin) / 1e9


def too_few_rounds(rounds: Sequence[Series], least: int = LEAST_ROUNDS, what: str = "rounds") -> str:
    """The flaw of fewer rounds (or processes) than a valid measurement needs, or ""."""
    return f"{len(rounds)} {what}, and a valid measurement needs {least}" if len(rounds) < least else ""
