"""All comparisons of a run: each student with its teacher, or each measurement with that of an earlier run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from evalsuite.compare.difference import difference
from evalsuite.records import Cell, Comparison, Identity, Measurement, Missing, RunRecord
from evalsuite.stats.multiple import q_values
from evalsuite.suite.schema import Suite

REFERENCE_SIDES = ("reference", "none", "ground_truth")
"""What a teacher's cell may be measured against."""


def against_teacher(record: RunRecord) -> list[Comparison]:
    """Every student's cell against its teacher's of the same metric, target and slice, with q-values.

    Metrics of image pairs have no comparison here: they compare with the teacher already.
    """
    suite = Suite.model_validate(record.suite)
    every: list[Measurement | Missing] = [*record.measurements, *record.missing]
    cells = {cell.identity: cell for cell in every}
    comparisons: list[tuple[Cell, Comparison]] = []
    for cell in cells.values():
        if cell.role != "teacher" and cell.against in REFERENCE_SIDES and suite.teacher is not None:
            teacher_case = f"{suite.teacher}@{cell.target}/{cell.slice}"
            against = cells.get(Identity(teacher_case, cell.name, cell.against))
            if against is not None:
                comparisons.append((cell, difference(cell, against)))
    return with_q_values(comparisons)


def between_runs(record: RunRecord, earlier: RunRecord) -> list[Comparison]:
    """Every measurement that both runs have, this run's against the earlier one's."""
    before = {measurement.identity: measurement for measurement in earlier.measurements}
    pairs = [(m, before[m.identity]) for m in record.measurements if m.identity in before]
    return with_q_values([(ours, difference(ours, theirs)) for ours, theirs in pairs])


def with_q_values(comparisons: Sequence[tuple[Cell, Comparison]]) -> list[Comparison]:
    """The comparisons in their order, each with the q-value of the table that it stands in.

    A table holds one metric on one target: the whole sets of all candidates together, and the slices of one candidate
    together. Students share their teacher's samples and variations share seeds, so those need the correction that holds
    for any dependence; subset slices of one candidate share nothing.
    """
    tables: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, (cell, comparison) in enumerate(comparisons):
        if comparison.p_value is not None:
            owner = "" if cell.slice == "all" else cell.model
            tables[cell.name, cell.target, cell.against, owner].append(index)
    result = [comparison for _, comparison in comparisons]
    for indices in tables.values():
        slices = {comparisons[index][0].slice for index in indices}
        p_values = [p for p in (result[index].p_value for index in indices) if p is not None]
        for index, q in zip(indices, q_values(p_values, overlapping=not _disjoint(slices)), strict=True):
            result[index] = result[index].model_copy(update={"q_value": q})
    return result


def _disjoint(slices: set[str]) -> bool:
    """Whether no two slices share samples: values of one attribute, each once."""
    attributes = {slice_id.partition("=")[0] for slice_id in slices}
    return attributes == {"class"}
