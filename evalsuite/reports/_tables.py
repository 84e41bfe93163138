"""The tables of a report as plain text cells, the same for every format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from evalsuite.records import Cell, Comparison, Identity, Measurement, Missing
from evalsuite.reports._format import Scale, bounds, decimals, metric_title, number, plain, probability, scale_for
from evalsuite.reports._influence import Classes, classes_of, costs
from evalsuite.reports._models import Model, models, targets
from evalsuite.reports.contract import ReportInputs

SIGNIFICANT = 0.05
Mark = Literal["better", "worse", "same", "unjudged"]
MARK_SIGNS: Mapping[Mark, str] = {"better": "▲", "worse": "▼", "same": "≈", "unjudged": ""}
GROUPS = ("Quality", "Fidelity to the teacher", "Speed and memory")
SUBTITLES = {
    "Quality": "generated images against the reference images",
    "Fidelity to the teacher": "each student's images against the teacher's from the same seeds; likeness, not quality",
    "Speed and memory": "differences are ratios to the teacher, measured in turns",
}


@dataclass(frozen=True)
class Entry:
    """One model's cell.

    ``absent`` is the reason where it has no value, and then there are no other texts; ``invalid`` says that it was
    timed against its scenario's rules; ``order`` is the number itself, to sort by.
    """

    value: str = ""
    order: float = 0.0
    interval: str = ""
    difference: str = ""
    difference_interval: str = ""
    significance: str = ""
    mark: Mark = "unjudged"
    absent: str = ""
    invalid: bool = False
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Row:
    """A metric: its heading, the protocol that made its numbers, and a cell for each model."""

    title: str
    label: str
    unit: str
    direction: str
    protocol: list[tuple[str, str]]
    entries: list[Entry]


@dataclass(frozen=True)
class Table:
    """All metrics of one target and slice; ``models`` that it runs, ``groups`` as (title, explanation, rows)."""

    target: str
    slice: str
    models: list[Model]
    groups: list[tuple[str, str, list[Row]]]
    notes: list[str]


@dataclass
class Notes:
    """Footnotes numbered from 1 in the order in which they are first needed."""

    texts: list[str] = field(default_factory=list)

    def numbers(self, *texts: str) -> tuple[int, ...]:
        """The numbers of these notes; empty texts have none."""
        for text in texts:
            if text and text not in self.texts:
                self.texts.append(text)
        return tuple(self.texts.index(text) + 1 for text in texts if text)


@dataclass(frozen=True)
class Index:
    """What tables look up: columns, cells by place, comparisons by the student's measurement, units.

    Attributes:
        models: the columns.
        cells: by metric label, model, target and slice.
        comparisons: by the identity of their first term.
        scales: the unit of a metric on a target, the same in every table.
        classes: sample ids of each class, by model and target.
    """

    models: list[Model]
    cells: dict[tuple[str, str, str, str], Measurement | Missing]
    comparisons: dict[Identity, Comparison]
    scales: dict[tuple[str, str], Scale]
    classes: dict[tuple[str, str], Classes]

    @classmethod
    def of(cls, inputs: ReportInputs) -> Index:
        everything: tuple[Measurement | Missing, ...] = (*inputs.record.missing, *inputs.record.measurements)
        measured: dict[tuple[str, str], list[Measurement]] = {}
        for measurement in inputs.record.measurements:
            measured.setdefault((measurement.name, measurement.target), []).append(measurement)
        return cls(
            models(inputs.record),
            {(cell.name, cell.model, cell.target, cell.slice): cell for cell in everything},
            {comparison.terms[0].identity: comparison for comparison in inputs.comparisons if comparison.terms},
            {key: scale_for(m[0].unit, m[0].family, (one.value for one in m)) for key, m in measured.items()},
            classes_of(inputs.record),
        )

    def only(self, target: str) -> Index:
        """Without the models that this target does not run."""
        there = {model for _, model, where, _ in self.cells if where == target}
        return replace(self, models=[model for model in self.models if model.name in there])

    def comparison(self, cell: Cell) -> Comparison | None:
        return self.comparisons.get(cell.identity)

    def scale(self, cell: Cell) -> Scale:
        return self.scales.get((cell.name, cell.target), Scale())

    def mark(self, cell: Measurement) -> Mark:
        return mark_of(self.comparison(cell))


def group_of(cell: Measurement) -> str:
    """Which of the three groups a metric belongs to, from its statistics and what it is compared with."""
    if cell.profiled:
        return "Speed and memory"
    return "Quality" if cell.against in ("reference", "ground_truth", "none") else "Fidelity to the teacher"


def groups_by_name(inputs: ReportInputs) -> dict[str, str]:
    """The group of every metric label, in the suite's order of metrics.

    One never measured goes by its metric, else by what it is compared with: timings with nothing.
    """
    known = {m.name: group_of(m) for m in inputs.record.measurements}
    by_metric = {m.metric: group_of(m) for m in inputs.record.measurements}
    labels = {cell.name: cell for cell in (*inputs.record.measurements, *inputs.record.missing)}
    declared = [str(spec.get("name", "")) for spec in inputs.record.suite.get("metrics", ())]
    position = {name: i for i, name in enumerate(declared)}

    def order(name: str) -> tuple[int, str]:
        prefixes = [i for label, i in position.items() if name == label or name.startswith(f"{label}_")]
        return (position.get(name, max(prefixes, default=len(position))), name)

    def group(cell: Cell) -> str:
        alone = {"none": "Speed and memory", "reference": "Quality", "ground_truth": "Quality"}
        unmeasured = alone.get(cell.against, "Fidelity to the teacher")
        return known.get(cell.name, by_metric.get(cell.metric, unmeasured))

    return {name: group(labels[name]) for name in sorted(labels, key=order)}


def mark_of(comparison: Comparison | None) -> Mark:
    """Whether a student is better or worse than its teacher beyond chance (after correction, in tables)."""
    if comparison is None or comparison.value is None or comparison.invalid:
        return "unjudged"
    chance = comparison.q_value if comparison.q_value is not None else comparison.p_value
    if comparison.better is None or (chance is not None and chance > SIGNIFICANT):
        return "same" if chance is not None or comparison.interval is not None else "unjudged"
    return "better" if comparison.better else "worse"


def difference_texts(comparison: Comparison, scale: Scale) -> tuple[str, str]:
    """A difference and its interval, as ``+1.2 points`` or ``×0.27``."""
    if comparison.value is None:
        return "", ""
    if comparison.scale == "ratio":
        digits = decimals(comparison.value, comparison.interval)
        if comparison.interval is None or comparison.interval.exact:
            # Exact sizes that differ by some bytes are not to look equal.
            digits = max(digits, decimals(comparison.value - 1, comparison.interval))
        return f"×{number(comparison.value, digits)}", bounds(comparison.interval, digits)
    digits = decimals(comparison.value, comparison.interval, scale.divisor)
    unit = f" {scale.difference_unit}" if scale.difference_unit and not scale.difference_unit.startswith("×") else ""
    value = number(comparison.value / scale.divisor, digits, signed=True)
    return f"{value}{unit}", bounds(comparison.interval, digits, scale.divisor, signed=True)


def significance(comparison: Comparison) -> str:
    """``q = 0.013`` in a corrected table, else ``p = 0.013``."""
    if comparison.q_value is not None:
        return f"q {_equation(comparison.q_value)}"
    return f"p {_equation(comparison.p_value)}" if comparison.p_value is not None else ""


def _equation(value: float) -> str:
    text = probability(value)
    return text if text.startswith("<") else f"= {text}"


def absence(cell: Missing) -> str:
    """Why a cell has no number, in one phrase."""
    return f"{cell.kind}: {plain(cell.reason)}"


def direction_of(cells: Iterable[Measurement | Missing | None]) -> str:
    """``higher``, ``lower``, or "" where a metric has no better end."""
    higher = next((cell.higher_is_better for cell in cells if isinstance(cell, Measurement)), None)
    return "" if higher is None else "higher" if higher else "lower"


def entry(cell: Measurement | Missing | None, model: Model, group: str, index: Index, notes: Notes) -> Entry:
    """One cell as texts."""
    if cell is None:
        itself = group == "Fidelity to the teacher" and model.role == "teacher"
        return Entry(absent="the teacher itself" if itself else "not measured")
    if isinstance(cell, Missing):
        return Entry(absent=cell.kind, notes=notes.numbers(absence(cell)))
    scale, comparison = index.scale(cell), index.comparison(cell)
    digits = decimals(cell.value, cell.interval, scale.divisor)
    difference, difference_interval = difference_texts(comparison, scale) if comparison else ("", "")
    # What cannot differ, likeness to the teacher, needs no note that it has no difference.
    incomparable = comparison.incomparable if comparison and group != "Fidelity to the teacher" else ""
    # Without the case's own key the same reason is one note for all models.
    shared = incomparable.removeprefix(f"{cell.case_key}: ")
    unlike = f"no difference to the teacher: {shared}" if shared else ""
    warning = cell.warning or (cell.invalid and f"INVALID: {cell.invalid}")
    return Entry(
        value=number(cell.value / scale.divisor, digits),
        order=cell.value,
        interval="exact" if cell.interval and cell.interval.exact else bounds(cell.interval, digits, scale.divisor),
        difference=difference,
        difference_interval=difference_interval,
        significance=significance(comparison) if comparison and difference else "",
        mark=index.mark(cell),
        invalid=bool(cell.invalid),
        notes=notes.numbers(*map(plain, (warning, comparison.note if comparison else "", unlike))),
    )


def row(name: str, target: str, slice_id: str, group: str, index: Index, notes: Notes) -> Row | None:
    """One metric over all models; None where no model has it on this target and slice."""
    cells = [index.cells.get((name, model.name, target, slice_id)) for model in index.models]
    there = [cell for cell in cells if cell is not None]
    measured = [cell for cell in there if isinstance(cell, Measurement)]
    if not there:
        return None
    return Row(
        title=metric_title(name, there[0].metric),
        label=name,
        unit=index.scale(there[0]).unit,
        direction=direction_of(cells),
        protocol=[*protocol_of(measured), *costs_of(measured, index)],
        entries=[entry(cell, model, group, index, notes) for cell, model in zip(cells, index.models, strict=True)],
    )


def protocol_of(measurements: Sequence[Measurement]) -> list[tuple[str, str]]:
    """What made the numbers of a row; a field in which models differ lists every value once."""
    texts: dict[str, list[str]] = {}
    for measurement in measurements:
        interval = measurement.interval
        how = {"interval": f"{interval.level:.0%}, {interval.method}"} if interval else {}
        facts = {"n": measurement.n, "extractor": measurement.extractor, **how, **measurement.protocol}
        for key, value in facts.items():
            if value is not None and str(value) not in texts.setdefault(key, []):
                texts[key].append(str(value))
    return [(key, "; ".join(values)) for key, values in texts.items() if values]


def costs_of(measurements: Sequence[Measurement], index: Index) -> list[tuple[str, str]]:
    """What adds most to each model's distance, where that is known."""
    texts = [(cell.model, costs(cell, index.classes.get((cell.model, cell.target), {}))) for cell in measurements]
    return [(f"what costs {plain(model)} most", plain(text)) for model, text in texts if text]


def table(index: Index, groups: Mapping[str, str], target: str, slice_id: str) -> Table:
    """Metrics by models for one target and slice; metrics and models without any cell there are left out.

    Args:
        groups: the group of every metric label, in the order of the rows.
    """
    index, notes = index.only(target), Notes()
    found: dict[str, list[Row]] = {title: [] for title in GROUPS}
    for name in sorted(groups, key=lambda name: GROUPS.index(groups[name])):
        made = row(name, target, slice_id, groups[name], index, notes)
        if made:
            found[groups[name]].append(made)
    filled = [(title, SUBTITLES[title], rows) for title, rows in found.items() if rows]
    return Table(target, slice_id, index.models, filled, notes.texts)


def main_tables(inputs: ReportInputs) -> list[Table]:
    """One table a target, over all samples."""
    return _tables(inputs, ["all"])


def tables_across(inputs: ReportInputs) -> list[Table]:
    """One table for each target but the first: its models against themselves on the first target that ran them."""
    if not inputs.across_targets:
        return []
    return _tables(replace(inputs, comparisons=inputs.across_targets), ["all"])[1:]


def _tables(inputs: ReportInputs, slice_ids: Sequence[str]) -> list[Table]:
    index, groups = Index.of(inputs), groups_by_name(inputs)
    made = [table(index, groups, target, slice_id) for slice_id in slice_ids for target in targets(inputs.record)]
    return [one for one in made if one.groups]


@dataclass(frozen=True)
class Remark:
    """What several cells have in common: why they are missing, or a warning."""

    kind: str
    text: str
    titles: list[str]
    cells: list[str]


def absences_of(missing: Iterable[Missing]) -> list[Remark]:
    """Missing cells joined by kind and reason; failures first."""
    urgency = ("failed", "unavailable", "skipped")
    return sorted(_joined((cell.kind, cell.reason, cell) for cell in missing), key=lambda r: urgency.index(r.kind))


def warnings_of(measurements: Iterable[Measurement]) -> list[Remark]:
    """Measurements that carry a caveat, joined by its text."""
    return _joined(("warning", measurement.warning, measurement) for measurement in measurements if measurement.warning)


def _joined(cells: Iterable[tuple[str, str, Cell]]) -> list[Remark]:
    joined: dict[tuple[str, str], list[tuple[str, Cell]]] = {}
    for kind, text, cell in cells:
        joined.setdefault((kind, NUMBER.sub("", text)), []).append((text, cell))
    return [
        Remark(
            kind,
            _with_ranges([text for text, _ in alike]),
            list(dict.fromkeys(metric_title(cell.name, cell.metric) for _, cell in alike)),
            list(dict.fromkeys(cell.case_key for _, cell in alike)),
        )
        for (kind, _), alike in joined.items()
    ]


NUMBER = re.compile(r"(?<![\w.=@/-])\d+(?:\.\d+)?(?![\w.=@/-]*\w)")
"""A number that stands alone, and is no part of a name."""


def _with_ranges(texts: Sequence[str]) -> str:
    """One text for several that differ in numbers alone: ``needs 320 samples, has 32 to 54``."""
    columns = [sorted(set(column), key=float) for column in zip(*map(NUMBER.findall, texts), strict=True)]
    ranges = iter(column[0] if len(column) == 1 else f"{column[0]} to {column[-1]}" for column in columns)
    return NUMBER.sub(lambda number: next(ranges), texts[0])
