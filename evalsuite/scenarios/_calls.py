"""What scenarios share that make one call after another."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.models.contract import Batch, Probe
from evalsuite.scenarios.contract import LEAST_ROUNDS, Series, Subject

LEAST_PROCESSES = 3
"""What a fresh process shows is nearly the same each time; three of them show whether it is."""


def seconds_of(subject: Subject, batch: Batch, probe: Probe | None = None) -> float:
    """Seconds of one call, the device's work included, by the target's clock."""
    begin = subject.target.mark()
    subject.generate(batch, probe)
    return subject.target.seconds_between([begin, subject.target.mark()])[0]


def too_few_rounds(rounds: Sequence[Series], least: int = LEAST_ROUNDS, what: str = "rounds") -> str:
    """The flaw of fewer rounds (or processes) than a valid measurement needs, or ""."""
    return f"{len(rounds)} {what}, and a valid measurement needs {least}" if len(rounds) < least else ""
