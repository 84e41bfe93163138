"""A model that takes part in a session, and the parent's side of its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import CellError
from evalsuite.executors.contract import Worker
from evalsuite.models.contract import Batch
from evalsuite.profiling.agreement import Scored
from evalsuite.profiling.cache_audit import cached_share
from evalsuite.profiling.room import Need
from evalsuite.profiling.subject import SubjectSpec, Turn
from evalsuite.records import Finding, Scalar, Timings
from evalsuite.scenarios.contract import Scenario

OUTPUTS, CACHE, NEIGHBOURS = "timed outputs", "cache", "other processes"
"""The audits."""

FIRST_UNTIMED_ID = 1 << 40
"""Warm-ups get samples from here on, so that the timed ones are those from 0 on, which were scored too."""


@dataclass
class Entrant:
    """A model that takes part in a session, and what came of it.

    Attributes:
        case_key: names it in the timings.
        spec: how its process makes it.
        batch_of: the batch of some sample ids, int64 ``[B]``.
        batch_size: the target's.
        scored: the samples that quality was measured on; None where there are none, or its seeds decide nothing.
        environment: what must be equal for its timings to be compared with others.
        device_uuid: of the GPU it runs on; "" for other devices.
        timings: what was measured; empty if there is an ``error``.
        gaps: by scenario, why it is not for this model or machine.
        findings: of the audits.
        error: why it dropped out.
    """

    case_key: str
    spec: SubjectSpec
    batch_of: Callable[[NDArray[np.int64]], Batch]
    batch_size: int
    scored: Scored | None = None
    environment: dict[str, Scalar] = field(default_factory=dict)
    device_uuid: str = ""
    timings: list[Timings] = field(default_factory=list)
    gaps: dict[str, CellError] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    error: CellError | None = None

    @contextmanager
    def dropping_out(self) -> Iterator[None]:
        """A failure inside is kept and ends this entrant's part in the session, not the session."""
        try:
            yield
        except CellError as error:
            self.error = self.spec.target().explained(error)
            self.timings.clear()
            self.findings.clear()

    def check(self, turn: Turn) -> None:
        """Compare the last images of a turn with the scored ones; the first that differ are a finding."""
        if self.scored is not None and turn.last is not None and not self._found(OUTPUTS):
            mismatch = self.scored.mismatch(*turn.last)
            if mismatch:
                self._find(OUTPUTS, mismatch)

    def audit(self, pairs: Sequence[tuple[float, float]]) -> None:
        """Judge new requests and their repetitions, in seconds."""
        share = cached_share(pairs)
        if share is not None:
            evidence = f"a repeated request takes {share:.0%} of the time of a new one: the model answers from a cache"
            self._find(CACHE, evidence)

    def judge(self, others: int, *, forgiven: bool) -> None:
        """Timings of a model that an audit caught are INVALID, and those of a GPU that other processes use."""
        if others and self.timings:
            self._find(NEIGHBOURS, f"{others} other processes compute on the GPU", "warning" if forgiven else "error")
        reasons = [finding.evidence for finding in self.findings if finding.severity == "error"]
        if reasons:
            self.timings = [
                timing.model_copy(update={"valid": False, "reason": "; ".join(filter(None, [timing.reason, *reasons]))})
                for timing in self.timings
            ]

    def _found(self, audit: str) -> bool:
        return any(finding.audit == audit for finding in self.findings)

    def _find(self, audit: str, evidence: str, severity: Literal["warning", "error"] = "error") -> None:
        self.findings.append(Finding(audit=audit, severity=severity, evidence=evidence, case_key=self.case_key))

    def takes_part(self, scenario: str) -> bool:
        """Whether it is still there and the scenario is for it."""
        return self.error is None and scenario not in self.gaps


def present(entrants: Sequence[Entrant]) -> list[Entrant]:
    """Those who have not dropped out."""
    return [entrant for entrant in entrants if entrant.error is None]


class SampleIds:
    """Deals out samples, each once."""

    def __init__(self) -> None:
        self._next = {"timed": 0, "untimed": FIRST_UNTIMED_ID}

    def take(self, count: int, *, timed: bool) -> NDArray[np.int64]:
        """The next ids, int64 ``[count]``."""
        kind = "timed" if timed else "untimed"
        first = self._next[kind]
        self._next[kind] = first + count
        return np.arange(first, first + count, dtype=np.int64)


class Runner:
    """An entrant in its live process. Every call gets samples that it has not had before."""

    def __init__(self, entrant: Entrant, worker: Worker, ids: SampleIds, patience_s: float) -> None:
        self.entrant, self._worker, self._ids, self._patience_s = entrant, worker, ids, patience_s

    def ready(self) -> None:
        """Wait until the process can load the model."""
        self._worker.call("ready", timeout_s=self._patience_s)

    def arrive(self) -> None:
        """Load the model, and note its environment."""
        self._worker.call("load", timeout_s=self._patience_s)
        self.entrant.environment = self._worker.call("environment", timeout_s=self._patience_s)
        self.entrant.device_uuid = self._worker.call("device_uuid", timeout_s=self._patience_s)

    def warm_up(self, scenario: Scenario, calls: int) -> float:
        """Seconds of the fastest of some untimed calls."""
        fastest: float = self._worker.call(
            "warm_up", self._batches(scenario, calls, timed=False), timeout_s=self._patience_s
        )
        return fastest

    def measure(self, scenario: Scenario, *, lead_in: int, calls: int, seed: int) -> Turn | CellError:
        """One turn, or why the scenario is not for this model."""
        untimed = self._batches(scenario, lead_in, timed=False)
        timed = self._batches(scenario, calls, timed=True)
        turn: Turn | CellError = self._worker.call(
            "measure", scenario, untimed, timed, seed, timeout_s=self._patience_s
        )
        return turn

    def need(self) -> Need:
        """What the process has needed so far."""
        need: Need = self._worker.call("need", timeout_s=self._patience_s)
        return need

    def audit(self, pairs: int) -> None:
        """Put some new requests of one image, each twice."""
        batches = [self.entrant.batch_of(self._ids.take(1, timed=False)) for _ in range(pairs)]
        self.entrant.audit(self._worker.call("audit", batches, timeout_s=self._patience_s))

    def _batches(self, scenario: Scenario, calls: int, *, timed: bool) -> list[Batch]:
        size = scenario.images_per_call(self.entrant.batch_size)
        return [self.entrant.batch_of(self._ids.take(size, timed=timed)) for _ in range(calls)]
