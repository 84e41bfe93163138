"""A run as points of the history: each value, under the series that it continues.

A series is one metric of one model on one target and slice, measured by one protocol: a value that was made in another
way starts a series of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalsuite.compare.tables import against_teacher
from evalsuite.errors import UsageError
from evalsuite.files import canonical_json, content_key
from evalsuite.pairing import NUM_GROUPS, seeds_of
from evalsuite.records import Family, Interval, Measurement, RunRecord
from evalsuite.stats.jackknife import MIN_GROUPS, pseudovalues

Floats32 = NDArray[np.float32]


class SeriesKey(NamedTuple):
    """What the points of a series share.

    Attributes:
        suite: its name; a suite that changes goes on under its name as far as protocols stay.
        name, against: as in the identity of a measurement.
        protocol: canonical JSON of everything that two values must share to be compared.
    """

    suite: str
    name: str
    against: str
    model: str
    target: str
    slice: str
    protocol: str

    @property
    def protocol_hash(self) -> str:
        """SHA-256 of the protocol."""
        return content_key(self.protocol)

    @property
    def case_key(self) -> str:
        return f"{self.model}@{self.target}/{self.slice}"


class Commit(NamedTuple):
    """A state of the code: its full name, and when it was committed (UTC), where that is known."""

    sha: str
    committed: datetime | None = None


@dataclass(frozen=True)
class Point:
    """A value at a commit.

    Attributes:
        commit: its full name.
        at: the time that orders the history (UTC): that of the commit; where it is not known, of the run.
        n: values that went in, as in the measurement.
        deviations: float32 ``[G]``, how far the estimate from each group of samples is from the value; the same samples
            are in the same groups at every commit, so that the noise two values share cancels. None where the value is
            not made of samples, or of too few.
    """

    commit: str
    at: datetime
    value: float
    interval: Interval | None
    n: int
    deviations: Floats32 | None = None


@dataclass(frozen=True)
class Value:
    """What a run adds to a series: a point, and the unit and direction of the series."""

    value: float
    interval: Interval | None
    n: int
    unit: str
    higher_is_better: bool | None
    deviations: Floats32 | None = None


@dataclass(frozen=True)
class RunPoints:
    """All points of one run.

    Attributes:
        key: SHA-256 of the run's record; the same run is added once.
        values: by series.
    """

    key: str
    suite: str
    commit: Commit
    started: datetime
    values: dict[SeriesKey, Value]

    @property
    def at(self) -> datetime:
        return self.commit.committed or self.started


def points_of(record: RunRecord, commit: Commit | None = None) -> RunPoints:
    """What a run adds to the history.

    Args:
        record: the run.
        commit: the code that it measured; None for what the run noted when it started.

    Raises:
        UsageError: the run noted no commit, and none is given.
    """
    commit = commit or noted_commit(record)
    if commit is None:
        raise UsageError("the run noted no commit, since it was not started inside a git repository; say it: --commit")
    suite = str(record.suite["suite"])
    return RunPoints(
        key=content_key([record.model_dump(mode="json"), record.content_hash]),
        suite=suite,
        commit=commit,
        started=utc(record.provenance.get("started")) or datetime.fromtimestamp(0, UTC),
        values=_values(record, suite) | _ratios(record, suite),
    )


def noted_commit(record: RunRecord) -> Commit | None:
    """The commit that was checked out where the run was started; None where it was not in a git repository."""
    code: dict[str, Any] = record.provenance.get("code") or {}
    return Commit(str(code["commit"]), utc(code.get("committed"))) if "commit" in code else None


def _values(record: RunRecord, suite: str) -> dict[SeriesKey, Value]:
    return {
        series_of(suite, m): Value(m.value, m.interval, m.n, m.unit, m.higher_is_better, deviations_of(m))
        for m in record.measurements
        if not m.invalid
    }


def _ratios(record: RunRecord, suite: str) -> dict[SeriesKey, Value]:
    """Times of students as ratios to their teacher's in the same run, which a slower machine changes little."""
    timed = {m.identity: m for m in record.measurements if m.family == Family.LATENCY}
    ratios = {}
    for comparison in against_teacher(record):
        student, teacher = comparison.terms[0].identity, comparison.terms[-1].identity
        if student in timed and comparison.value is not None and not comparison.invalid:
            m = timed[student]
            key = series_of(suite, m)._replace(against=teacher.case_key)
            ratios[key] = Value(comparison.value, comparison.interval, comparison.n or m.n, "", m.higher_is_better)
    return ratios


def series_of(suite: str, measurement: Measurement) -> SeriesKey:
    """The series that a measurement continues."""
    own = {field: getattr(measurement, field) for field in ("metric", "unit", "family", "extractor")}
    # The bias of these depends on n, which not every protocol of theirs names.
    counted = {"n": measurement.n} if measurement.family == Family.JACKKNIFE else {}
    protocol = canonical_json({**own, **counted, **measurement.protocol}).decode()
    m = measurement
    return SeriesKey(suite, m.name, m.against, m.model, m.target, m.slice, protocol)


def deviations_of(measurement: Measurement) -> Floats32 | None:
    """How far each group of samples, by itself, is from the value, float32 ``[G]``; see :class:`Point`.

    For means the difference of the group's mean; for statistics with groups left out, that of its pseudo-value. The
    standard deviation over groups, by the root of G, is the standard error of the value.
    """
    m = measurement
    if m.per_sample is not None and m.sample_ids is not None and len(m.per_sample) == len(m.sample_ids):
        # Groups are mixed, so that none holds one class alone, and follow from the ids, the same at every commit.
        order = np.argsort(seeds_of(m.sample_ids, seed=0), kind="stable")
        groups = np.array_split(m.per_sample[order], min(NUM_GROUPS, len(order)))
        estimates = np.array([group.mean() for group in groups])
    elif m.replicates is not None and m.group_sizes is not None:
        estimates = pseudovalues(m.value, m.replicates, m.group_sizes)
    else:
        return None
    if len(estimates) < MIN_GROUPS:
        return None
    deviations: Floats32 = (estimates - estimates.mean()).astype(np.float32)
    return deviations


def utc(text: str | None) -> datetime | None:
    """A time as git and run records write it, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
