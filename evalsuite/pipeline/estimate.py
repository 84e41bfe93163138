"""What a plan will cost: samples to generate, bytes in the cache, seconds as far as earlier runs tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from evalsuite.models.contract import Download
from evalsuite.pipeline.generate import missing_spans
from evalsuite.pipeline.plan import Only, adapter_of, downloadable
from evalsuite.records import Case, Plan, RunRecord, Timings
from evalsuite.store import Store
from evalsuite.suite.schema import Suite


@dataclass(frozen=True)
class Cost:
    """What one case's samples cost: those that are not in the cache.

    Attributes:
        case_key: the case.
        num_samples: images of the case; 0 for a subset, which re-uses those of the whole.
        num_cached: how many of them the cache holds.
        bytes: size in the cache of the others; None where only the model knows the size of its images.
        seconds: of generating the others; None where no earlier run timed this model on this target.
        memory_bytes: peak of the process that generates, as an earlier run measured it; None where none did.
    """

    case_key: str
    num_samples: int
    num_cached: int
    bytes: int | None
    seconds: float | None
    memory_bytes: int | None


def downloads(suite: Suite, only: Only) -> list[Download]:
    """What a run would download before anything starts, each thing once."""
    return list(dict.fromkeys(one for adapter in downloadable(suite, only) for one in adapter.downloads()))


def estimate(suite: Suite, plan: Plan, records: Iterable[RunRecord], store: Store) -> list[Cost]:
    """The cost of every case, in the order of the plan.

    Args:
        suite: the suite.
        plan: its cases.
        records: earlier runs on this machine, newest first; the first that timed a model as it is set here counts.
        store: the cache.
    """
    speeds = _Earlier(suite, list(records))
    return [_cost(suite, case, speeds, store) for case in plan.cases]


def total(parts: Iterable[float | None]) -> float | None:
    """The sum; None where a part is unknown."""
    known = list(parts)
    return None if any(part is None for part in known) else sum(part for part in known if part is not None)


def _cost(suite: Suite, case: Case, speeds: _Earlier, store: Store) -> Cost:
    if case.parent is not None:
        return Cost(case.key, 0, 0, 0, 0.0, 0)
    num_samples = len(case.sample_ids)
    missing = sum(span.size for span in missing_spans(suite, case, store))
    if missing == 0:
        return Cost(case.key, num_samples, num_samples, 0, 0.0, 0)
    shape = adapter_of(case).capabilities().image_shape
    per_image = speeds.seconds_per_image(case)
    return Cost(
        case.key,
        num_samples,
        num_samples - missing,
        None if shape is None else missing * int(np.prod(shape)),
        None if per_image is None else missing * per_image,
        speeds.peak_bytes(case),
    )


class _Earlier:
    """What earlier runs measured of a model on a target, if both stood in their suites exactly as they do here."""

    def __init__(self, suite: Suite, records: Sequence[RunRecord]) -> None:
        self.suite, self.records = suite, records

    def seconds_per_image(self, case: Case) -> float | None:
        """By throughput, or latency. For a slice that changes the number of network evaluations, in proportion."""
        spec = self.suite.models[case.model]
        for timings in self._timings(case):
            per_image = _seconds_per_image([timing for timing in timings if timing.valid])
            if per_image is not None:
                here, whole = adapter_of(case).capabilities().nfe, adapter_of(spec).capabilities().nfe
                return per_image * (here / whole if here and whole else 1.0)
        return None

    def peak_bytes(self, case: Case) -> int | None:
        """The highest peak of any process."""
        for timings in self._timings(case):
            processes = (calls for timing in timings if timing.scenario == "memory" for calls in timing.values)
            peaks = [peak for calls in processes for peak in calls]
            if peaks:
                return int(max(peaks))
        return None

    def _timings(self, case: Case) -> Iterator[list[Timings]]:
        """Run by run, newest first."""
        for record in self.records:
            if self._same(record, "models", case.model) and self._same(record, "targets", case.target):
                yield [t for t in record.timings if t.case_key == f"{case.model}@{case.target}/all"]

    def _same(self, record: RunRecord, section: str, name: str) -> bool:
        """Whether a model or target stands in an earlier run's suite exactly as it does here."""
        now = self.suite.model_dump(mode="json", include={section})[section][name]
        return bool(record.suite.get(section, {}).get(name) == now)


def _seconds_per_image(timings: Sequence[Timings]) -> float | None:
    """From the largest batch that was timed, which is nearest to how samples are generated."""
    timed = [t for t in timings if t.scenario.split(":")[0] in ("single_stream", "offline") and any(t.values)]
    if not timed:
        return None
    largest = max(timed, key=lambda timing: timing.batch_size)
    return median(value for calls in largest.values for value in calls) / largest.batch_size
