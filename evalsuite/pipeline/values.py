"""What a metric computes -> values with their intervals -> measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import CellError, Failed
from evalsuite.metrics.contract import Estimate, Metric
from evalsuite.records import Family, FeatureSet, Interval, Measurement, Moments, Scalar


@dataclass(frozen=True)
class Valued:
    """One value of a metric with its interval, or the reason why it is skipped.

    Attributes:
        value: its label suffix; "" for a metric's only value.
    """

    value: str
    estimate: Estimate | None
    interval: Interval | None
    skipped: str = ""


def values_of(name: str, metric: Metric, inputs: Any, clusters: NDArray[np.int64] | None = None) -> list[Valued]:
    """All values of a metric, computed now.

    Args:
        name: the metric's plug-in name, for the message.
        metric: with its settings.
        inputs: what its ``compute`` takes.
        clusters: int64 ``[N]``, equal for samples that are not independent; None where all are.

    Raises:
        CellError: it has none on these inputs.
    """
    try:
        found: Mapping[str, Estimate | str] = metric.compute(inputs)
    except CellError:
        raise
    except Exception as error:
        raise Failed(f"{name}: {type(error).__name__}: {error}") from error
    return [
        _valued(value, estimate if isinstance(estimate, str) else by_cluster(estimate, clusters))
        for value, estimate in found.items()
    ]


def by_cluster(estimate: Estimate, clusters: NDArray[np.int64] | None) -> Estimate:
    """An estimate whose values by sample are means over clusters, which are independent where samples are not.

    Clusters have equally many samples, so that the mean stays what it is. A share of samples then is a mean of shares,
    and no longer a proportion.
    """
    if clusters is None or estimate.per_sample is None:
        return estimate
    _, members, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    means = np.bincount(members, weights=estimate.per_sample) / sizes
    return replace(
        estimate,
        family=Family.MEAN if estimate.family == Family.PROPORTION else estimate.family,
        n=len(means),
        per_sample=means,
        influence=None,
        protocol={**estimate.protocol, "clusters": "condition"},
    )


def _valued(value: str, estimate: Estimate | str) -> Valued:
    from evalsuite.stats.single import interval_of, shortage

    if isinstance(estimate, str):
        return Valued(value, None, None, estimate)
    if not np.isfinite(estimate.value):
        raise Failed(f"the value is {estimate.value}, expected a finite number")
    interval = interval_of(estimate)
    if interval is None:
        lacking = shortage(estimate)
        estimate = replace(estimate, warning="; ".join(filter(None, [estimate.warning, lacking])))
    return Valued(value, estimate, interval)


def measurement(
    cell: Mapping[str, Any],
    metric: Metric,
    estimate: Estimate,
    interval: Interval | None,
    *,
    protocol: Mapping[str, Scalar],
    sample_ids: NDArray[np.int64] | None,
) -> Measurement:
    """The record of one value.

    Args:
        cell: the fields of :class:`evalsuite.records.Cell`.
        metric: with its settings.
        estimate, interval: the value.
        protocol: what made it, besides the estimator's own constants; the same for all that compare.
        sample_ids: int64 ``[n]`` where the samples can be paired with another model's.
    """
    extractor = protocol.get("extractor")
    return Measurement(
        **cell,
        extractor=None if extractor is None else str(extractor),
        value=estimate.value,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        family=estimate.family,
        interval=interval,
        n=estimate.n,
        protocol={"metric": cell["metric"], **protocol, **estimate.protocol},
        warning=estimate.warning,
        invalid=estimate.invalid,
        sample_ids=sample_ids,
        per_sample=estimate.per_sample,
        replicates=estimate.replicates,
        group_sizes=estimate.group_sizes,
        influence=estimate.influence,
    )


def extraction_protocol(features: FeatureSet | Moments) -> dict[str, Scalar]:
    """What made the features."""
    return {
        "extractor": features.extractor,
        "extractor_fingerprint": features.fingerprint,
        "preprocessing": features.preprocessing,
    }
