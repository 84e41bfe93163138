"""Measurements and records whose true differences are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite.metrics.contract import Estimate
from evalsuite.pairing import groups_of
from evalsuite.records import Family, Measurement, Missing, RunRecord
from evalsuite.stats.single import interval_of
from evalsuite.suite.schema import Suite

Floats = NDArray[np.float64]

DEFAULTS: dict[Family, tuple[str, str, bool]] = {
    Family.MEAN: ("psnr", "dB", True),
    Family.PROPORTION: ("class_accuracy", "", True),
    Family.FRECHET: ("fid", "", False),
    Family.FRECHET_DEBIASED: ("fid_debiased", "", False),
    Family.JACKKNIFE: ("recall", "", True),
    Family.MMD: ("kid", "", False),
    Family.LATENCY: ("latency_p50", "s", False),
    Family.MEMORY: ("peak_memory", "bytes", False),
    Family.COUNT: ("num_parameters", "parameters", False),
}


def measurement(
    family: Family,
    value: float,
    *,
    model: str = "student",
    role: str = "student",
    target: str = "cpu",
    slice: str = "all",
    ids: NDArray[np.int64] | None = None,
    per_sample: Any = None,
    replicates: Any = None,
    group_sizes: Any = None,
    protocol: dict[str, Any] | None = None,
    n: int | None = None,
    **fields: Any,
) -> Measurement:
    """A measurement with the usual metric of its family; ids count up from 0 where samples went in."""
    name, unit, higher = DEFAULTS[family]
    arrays = {
        "per_sample": None if per_sample is None else np.asarray(per_sample, np.float64),
        "replicates": None if replicates is None else np.asarray(replicates, np.float64),
        "group_sizes": None if group_sizes is None else np.asarray(group_sizes, np.int64),
    }
    if n is None:
        sizes = [len(array) for array in (arrays["per_sample"], arrays["replicates"]) if array is not None]
        n = int(arrays["group_sizes"].sum()) if arrays["group_sizes"] is not None else sizes[0]
    if ids is None and family not in (Family.LATENCY, Family.MEMORY, Family.COUNT):
        ids = np.arange(n)
    return Measurement(
        **{"name": name, "metric": name, "unit": unit, "higher_is_better": higher, **fields},
        case_key=f"{model}@{target}/{slice}",
        model=model,
        role=role,
        target=target,
        slice=slice,
        value=value,
        family=family,
        interval=interval_of(Estimate(value, family, n, **arrays)),
        n=n,
        protocol=protocol or {},
        sample_ids=ids,
        **arrays,
    )


def of_samples(values: Any, family: Family = Family.MEAN, **fields: Any) -> Measurement:
    """A mean or a proportion of these values."""
    return measurement(family, float(np.mean(values)), per_sample=values, **fields)


def of_rounds(rounds: Any, **fields: Any) -> Measurement:
    """The median of these latencies."""
    return measurement(Family.LATENCY, float(np.median(rounds)), replicates=rounds, **fields)


def of_processes(peaks: Any, **fields: Any) -> Measurement:
    """The median of these peaks."""
    return measurement(Family.MEMORY, float(np.median(peaks)), replicates=peaks, **fields)


def of_count(count: float, **fields: Any) -> Measurement:
    """An exact number."""
    return measurement(Family.COUNT, count, n=1, **fields)


def of_groups(statistic: Any, samples: Floats, family: Family = Family.FRECHET, **fields: Any) -> Measurement:
    """A statistic of samples ``[N, ...]`` with its values as each of the 20 groups is left out."""
    groups = groups_of(np.arange(len(samples)), 1)
    replicates = [statistic(samples[groups != group]) for group in range(20)]
    sizes = np.bincount(groups, minlength=20)
    return measurement(family, statistic(samples), replicates=replicates, group_sizes=sizes, **fields)


def missing(metric: str, *, model: str = "student", slice: str = "all", kind: Any = "failed", **fields: Any) -> Missing:
    return Missing(
        **{"name": metric, "metric": metric, "role": "student", "target": "cpu", "reason": "it crashed", **fields},
        case_key=f"{model}@cpu/{slice}",
        model=model,
        slice=slice,
        kind=kind,
    )


def record(*cells: Measurement | Missing, gates: list[dict[str, Any]] | None = None, seed: int = 0) -> RunRecord:
    """A run of the models ``teacher``, ``student`` and ``other`` on ``cpu``."""
    suite = Suite.model_validate(
        {
            "suite": "small",
            "task": "class_conditional",
            "reference": {"dataset": "fashion-mnist"},
            "sampling": {"num_samples": 100, "seed": seed},
            "models": {
                "teacher": {"role": "teacher", "adapter": "zoo"},
                "student": {"role": "student", "adapter": "zoo"},
                "other": {"role": "student", "adapter": "zoo"},
            },
            "targets": {"cpu": {"device": "cpu"}},
            "metrics": [{"name": "fid", "metric": "fid"}],
            "gates": gates or [],
        }
    )
    return RunRecord(
        suite=suite.model_dump(mode="json"),
        suite_hash=suite.suite_hash,
        environment={"processor": "test"},
        provenance={},
        measurements=[cell for cell in cells if isinstance(cell, Measurement)],
        missing=[cell for cell in cells if isinstance(cell, Missing)],
    )
