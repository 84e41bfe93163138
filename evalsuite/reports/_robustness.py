"""What is said of slices at a glance: each student's worst one, and how robust it is for a model of its teacher's."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.records import Comparison
from evalsuite.reports._format import bounds, decimals, metric_title, number, plain
from evalsuite.reports._models import Model, models
from evalsuite.reports._tables import Index, Mark, difference_texts, mark_of, significance
from evalsuite.reports.contract import ReportInputs


@dataclass(frozen=True)
class Worst:
    """The slice on which a student is furthest behind its teacher by one metric."""

    model: Model
    target: str
    metric: str
    slice: str
    gap: str
    chance: str
    mark: Mark


@dataclass(frozen=True)
class Ratio:
    """How much a student loses over some slices for what its teacher loses; in ``absent``, why that is not known."""

    model: Model
    target: str
    metric: str
    over: str
    value: str
    chance: str
    mark: Mark
    absent: str
    order: float


def worst_slices(inputs: ReportInputs) -> list[Worst]:
    """By student, target and metric, those that are compared with a teacher."""
    index, cells = Index.of(inputs), {cell.identity: cell for cell in inputs.record.measurements}
    known = {model.name: model for model in models(inputs.record)}
    found = []
    for row in inputs.robustness.worst:
        cell = cells.get(row.cell)
        if cell is not None and row.gap is not None and row.gap.value is not None:
            title = metric_title(cell.name, cell.metric)
            gap = " ".join(difference_texts(row.gap, index.scale(cell))).strip()
            mark = mark_of(row.gap)
            found.append(Worst(known[row.model], row.target, title, row.slice, gap, significance(row.gap), mark))
    return found


def ratios(inputs: ReportInputs) -> list[Ratio]:
    """By student, target, metric and what is averaged; 1 is as robust as the teacher."""
    known = {model.name: model for model in models(inputs.record)}
    metrics = {cell.name: cell.metric for cell in inputs.record.measurements}
    found = []
    for one in inputs.robustness.relative:
        title = metric_title(one.name, metrics.get(one.name, one.name))
        found.append(_ratio(known[one.model], one.target, title, one.over, one.comparison))
    return found


def _ratio(model: Model, target: str, metric: str, over: str, comparison: Comparison) -> Ratio:
    if comparison.value is None:
        return Ratio(model, target, metric, over, "", "", "unjudged", plain(comparison.incomparable), float("inf"))
    digits = decimals(comparison.value, comparison.interval)
    value = f"×{number(comparison.value, digits)} {bounds(comparison.interval, digits)}".strip()
    mark = mark_of(comparison)
    return Ratio(model, target, metric, over, value, significance(comparison), mark, "", comparison.value)
