"""What trackers of experiments are told of a run: for each model and target its settings and its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evalsuite.errors import UsageError
from evalsuite.records import Measurement, RunRecord


@dataclass(frozen=True)
class Export:
    """A model on a target, as trackers know it: one of their runs.

    Attributes:
        project: the suite's name.
        name: ``model@target``.
        ended: when the run ended; 1970 where it did not note it.
        settings: texts and numbers by dotted key.
        numbers: values by ``metric``, or ``slice/metric``; the ends of their intervals by the same with ``.low`` and
            ``.high``.
    """

    project: str
    name: str
    ended: datetime
    settings: Mapping[str, str]
    numbers: Mapping[str, float] = field(default_factory=dict)


def exports(record: RunRecord, run: str) -> list[Export]:
    """One a model and target that has numbers, in the run's order; what broke its protocol is left out.

    Args:
        run: name of the run's folder, by which the numbers are found again.

    Raises:
        UsageError: the run measured nothing that can be exported.
    """
    by_case: dict[tuple[str, str], list[Measurement]] = {}
    for measurement in record.measurements:
        if not measurement.invalid:
            by_case.setdefault((measurement.model, measurement.target), []).append(measurement)
    if not by_case:
        raise UsageError(f"{run}: found no valid measurement to export, expected at least one")
    return [
        Export(
            project=str(record.suite.get("suite", "evalsuite")),
            name=f"{model}@{target}",
            ended=_ended(record),
            settings=_settings(record, run, model, target, cells[0].role),
            numbers=_numbers(cells),
        )
        for (model, target), cells in by_case.items()
    ]


def key_of(text: str) -> str:
    """A name that every tracker takes: letters, digits, ``_ - . /`` and space, at most 200 long."""
    return re.sub(r"[^A-Za-z0-9_\-./ ]", "_", text)[:200].strip("/. ") or "_"


def _ended(record: RunRecord) -> datetime:
    try:
        found = datetime.fromisoformat(str(record.provenance.get("finished")))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _settings(record: RunRecord, run: str, model: str, target: str, role: str) -> dict[str, str]:
    parts = {
        "run": run,
        "role": role,
        "suite_hash": record.suite_hash,
        "content_hash": record.content_hash,
        "model": (record.suite.get("models") or {}).get(model),
        "target": (record.suite.get("targets") or {}).get(target),
        "sampling": record.suite.get("sampling"),
        "fingerprint": ((record.provenance.get("models") or {}).get(model) or {}).get("fingerprint"),
    }
    return dict(_flat(parts))


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield key_of(f"{prefix}{key}"), str(value)


def _numbers(cells: list[Measurement]) -> dict[str, float]:
    """By a key of its own for each cell: names that trackers would write alike are numbered."""
    found: dict[str, float] = {}
    for cell in cells:
        wanted = key_of(cell.name if cell.slice == "all" else f"{cell.slice}/{cell.name}")
        key = next(k for k in (wanted, *(f"{wanted}-{i}" for i in range(2, len(cells) + 2))) if k not in found)
        found[key] = cell.value
        if cell.interval and not cell.interval.exact:
            found |= {f"{key}.low": cell.interval.low, f"{key}.high": cell.interval.high}
    return found
