"""The part of a suite that is timed: its metrics of speed, memory, energy and cost, and the gates on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import cast

from evalsuite.errors import UsageError
from evalsuite.metrics.contract import Inputs, TimingMetric
from evalsuite.pipeline.cells import metric_of
from evalsuite.pipeline.plan import Only
from evalsuite.records import Plan
from evalsuite.suite.schema import MetricSpec, Suite

SCENARIO = "scenario"
"""The kind of ``only`` that leaves nothing but timings."""


def timed_part(suite: Suite, only: Only) -> Suite:
    """The suite itself; where scenarios are chosen, of its metrics only those that read one of them.

    Gates on other metrics go, and slices, on which nothing is timed; so do later stages, which only have more samples.

    Args:
        suite: the suite.
        only: globs; those by ``scenario`` match a scenario's name, or name and settings (``server:rate=20``).

    Raises:
        UsageError: no metric of the suite reads such a scenario.
    """
    globs = only.get(SCENARIO)
    if globs is None:
        return suite
    kept = [spec for spec in suite.metrics if any(_matches(text, globs) for text in scenarios_of(spec))]
    if not kept:
        known = dict.fromkeys(text for spec in suite.metrics for text in scenarios_of(spec))
        there = ", ".join(known) or "none; add a metric such as {latency: {scenario: single_stream}}"
        raise UsageError(
            f"found no metric of a scenario {' or '.join(globs)}, expected one that the suite has: {there}"
        )
    labels = {label for spec in kept for label in _labels(spec)}
    gates = [gate for gate in suite.gates if gate.metric in labels and gate.slice == "all"]
    changes = {"metrics": kept, "gates": gates, "slices": [], "stages": []}
    if suite.on_inconclusive == "extend":
        changes["on_inconclusive"] = "fail"
    return suite.model_copy(update=changes)


def generating(suite: Suite, plan: Plan) -> Plan:
    """The plan as far as samples are generated: no case where every metric is of timings."""
    reads_samples = any(metric_of(spec).inputs != Inputs.TIMINGS for spec in suite.metrics)
    return plan if reads_samples else replace(plan, cases=())


def scenarios_of(spec: MetricSpec) -> Sequence[str]:
    """What a metric reads, with settings; nothing for a metric of images."""
    metric = metric_of(spec)
    return cast(TimingMetric, metric).scenarios if metric.inputs == Inputs.TIMINGS else ()


def _matches(text: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in (text, text.partition(":")[0]) for glob in globs)


def _labels(spec: MetricSpec) -> Iterator[str]:
    """The names of its values, as gates use them."""
    for value in getattr(metric_of(spec), "values", ("",)):
        yield f"{spec.name}_{value}" if value else spec.name
