"""Report format ``pytest_benchmark``: the run's timings in the file format of that tool, which compares such files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import RunRecord, Timings
from evalsuite.reports._format import plain
from evalsuite.reports._models import place
from evalsuite.reports.contract import ReportInputs

NO_DURATIONS = ("clock", "shown")
"""Series of seconds that say nothing of how long a model took: of a fixed computation, and when frames were shown."""

OUTSIDE = 1.5
"""Interquartile ranges beyond the quartiles after which a value counts as an outlier (Tukey)."""


class PytestBenchmark:
    """``benchmark.json``, for ``pytest-benchmark compare`` (5.x): a benchmark for each series of seconds of each case.

    Models of one target and scenario form a group. A round there is a timed call here; raw values are kept. The name of
    a series that broke its scenario's rules ends in INVALID, so that it is never taken for the same as a valid one.
    """

    def render(self, inputs: ReportInputs) -> Mapping[str, bytes]:
        record = inputs.record
        content = {
            "machine_info": {**record.environment, "python_version": record.environment.get("python")},
            "commit_info": _commit(record),
            "benchmarks": [_benchmark(record, timings) for timings in record.timings if _is_time(timings)],
            "datetime": record.provenance.get("started"),
            "version": f"evalsuite {record.environment.get('evalsuite')}",
        }
        return {"benchmark.json": json.dumps(content, indent=1, allow_nan=False).encode() + b"\n"}


def _is_time(timings: Timings) -> bool:
    """Whether it says how long something of the model took."""
    return timings.unit == "s" and timings.series not in NO_DURATIONS and any(timings.values)


def _commit(record: RunRecord) -> dict[str, Any]:
    """The state of the user's code; the keys that the tool's own files have."""
    code = record.provenance.get("code") or {}
    return {
        "id": code.get("commit", "unversioned"),
        "time": code.get("committed"),
        "dirty": code.get("dirty", False),
        "project": record.suite.get("suite"),
    }


def _benchmark(record: RunRecord, timings: Timings) -> dict[str, Any]:
    where = place(record, timings.case_key)
    scenario = plain("/".join(filter(None, (timings.scenario, timings.series))))
    name = f"{scenario}[{plain(where.model)}@{plain(where.target)}]{'' if timings.valid else ' INVALID'}"
    return {
        "group": f"{scenario} on {plain(where.target)}, batch of {timings.batch_size}",
        "name": name,
        "fullname": f"{plain(str(record.suite.get('suite', '')))}::{name}",
        "params": {"model": where.model, "target": where.target},
        "param": f"{where.model}@{where.target}",
        "extra_info": {
            "scenario": timings.scenario,
            "series": timings.series,
            "schedule": timings.schedule,
            "batch_size": timings.batch_size,
            "rounds": len(timings.values),
            "warmups": timings.warmups,
            "valid": timings.valid,
            "reason": timings.reason,
            "environment": timings.environment,
        },
        "options": {"timer": "perf_counter", "warmup": timings.warmups > 0, "disable_gc": False},
        "stats": _stats(np.array([value for calls in timings.values for value in calls], np.float64)),
    }


def _stats(values: NDArray[np.float64]) -> dict[str, Any]:
    """The tool's statistics of some seconds ``[N]``; its quartiles are those of Hazen."""
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75], method="hazen")
    mean, deviation = values.mean(), values.std(ddof=1) if len(values) > 1 else 0.0
    iqr = q3 - q1
    near = values[(values >= q1 - OUTSIDE * iqr) & (values <= q3 + OUTSIDE * iqr)]
    beyond_deviation = int((np.abs(values - mean) > deviation).sum())
    numbers = {
        "min": values.min(), "max": values.max(), "mean": mean, "stddev": deviation, "median": median,
        "iqr": iqr, "q1": q1, "q3": q3, "ld15iqr": near.min(), "hd15iqr": near.max(),
        "ops": 1 / mean if mean else 0.0, "total": values.sum(),
    }  # fmt: skip
    return {
        **{key: float(number) for key, number in numbers.items()},
        "rounds": len(values),
        "iterations": 1,
        "stddev_outliers": beyond_deviation,
        "iqr_outliers": len(values) - len(near),
        "outliers": f"{beyond_deviation};{len(values) - len(near)}",
        "data": values.tolist(),
    }
