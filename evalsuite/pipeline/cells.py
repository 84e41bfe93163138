"""Which metric is measured on which case, against what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from evalsuite import plugins
from evalsuite.errors import CellError
from evalsuite.metrics.contract import Inputs, Metric
from evalsuite.records import Case, Missing
from evalsuite.suite.schema import MetricSpec, Suite

GROUND_TRUTH = "ground_truth"


@dataclass(frozen=True)
class PlannedCell:
    """One metric on one case.

    Attributes:
        case: where.
        spec: the metric as the suite has it.
        metric: the metric with its settings.
        against: ``reference``, ``ground_truth``, ``none``, or the key of the teacher's case.
    """

    case: Case
    spec: MetricSpec
    metric: Metric
    against: str

    def label(self, value: str) -> str:
        """The unique label of one of the metric's values: ``latency_p50``, or ``fid`` for its only one."""
        return f"{self.spec.name}_{value}" if value else self.spec.name

    def fields(self, value: str = "") -> dict[str, Any]:
        """What a `Measurement` and a `Missing` of one of the metric's values share."""
        case = self.case
        return {
            "name": self.label(value),
            "metric": self.spec.metric,
            "case_key": case.key,
            "model": case.model,
            "role": case.role,
            "target": case.target,
            "slice": case.slice,
            "against": self.against,
        }

    def missing(self, error: CellError) -> list[Missing]:
        """The records that no value of this cell has a number."""
        values: tuple[str, ...] = getattr(self.metric, "values", ("",))
        return [self.missing_value(value, error) for value in values]

    def missing_value(self, value: str, error: CellError) -> Missing:
        """The record that one value has no number."""
        return Missing(kind=error.kind, reason=str(error), **self.fields(value))


def cells_of(suite: Suite, cases: Iterable[Case]) -> Iterator[PlannedCell]:
    """Every cell of these cases, in the order of cases and metrics.

    Timings belong to the slice ``all``; pairs with the teacher to everyone but itself; a metric to its own targets.
    """
    metrics = [(spec, metric_of(spec)) for spec in suite.metrics]
    for case in cases:
        for spec, metric in metrics:
            if spec.targets and case.target not in spec.targets:
                continue
            if metric.inputs == Inputs.TIMINGS and case.slice != "all":
                continue
            if metric.inputs.of_pairs and spec.against == "teacher" and case.role == "teacher":
                continue
            yield PlannedCell(case, spec, metric, _against(spec, metric, case, suite))


def metric_of(spec: MetricSpec) -> Metric:
    """The metric with its settings."""
    metric: Metric = plugins.find("metrics", spec.metric).model_validate(spec.settings)
    return metric


def least_samples(spec: MetricSpec) -> int:
    """Samples below which a metric's value is not to be relied on: so many for each dimension of its features."""
    metric = metric_of(spec)
    each = getattr(metric, "samples_per_dimension", 0)
    return int(each * plugins.make("features", metric.extractor).dim) if each else 0  # type: ignore[attr-defined]


def _against(spec: MetricSpec, metric: Metric, case: Case, suite: Suite) -> str:
    if metric.inputs in (Inputs.FEATURES, Inputs.IMAGES):
        return "reference"
    if metric.inputs.of_pairs and spec.against == GROUND_TRUTH:
        return GROUND_TRUTH
    if metric.inputs.of_pairs and suite.teacher is not None:
        return f"{suite.teacher}@{case.target}/{case.slice}"
    return "none"
