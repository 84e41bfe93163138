"""All comparisons of a run: each student with its teacher, or each measurement with that of an earlier run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evalsuite.compare.baseline import Baseline
from evalsuite.compare.contrast import Common
from evalsuite.compare.difference import difference
from evalsuite.compare.sides import NOT_COMPARED
from evalsuite.records import Comparison, Identity, Measurement, Missing, RunRecord
from evalsuite.stats.multiple import q_values
from evalsuite.suite.recorded import recorded_suite

Row = tuple[Measurement | Missing, Comparison]
Ids = NDArray[np.int64] | None


def against_teacher(record: RunRecord) -> list[Comparison]:
    """Every student's (and control's) cell against the teacher's of the same metric, target and slice.

    With several teachers it is the suite's first. Metrics of image pairs have no comparison here: their values are
    likeness to the teacher already. Cells of one metric on several slices carry q-values.
    """
    suite = recorded_suite(record)
    every: list[Measurement | Missing] = [*record.measurements, *record.missing]
    cells = {cell.identity: cell for cell in every}
    rows: list[Row] = []
    for cell in every:
        if cell.role != "teacher" and cell.against in NOT_COMPARED and suite.teacher is not None:
            teacher = cells.get(Identity(f"{suite.teacher}@{cell.target}/{cell.slice}", cell.name, cell.against))
            if teacher is not None:  # else a run of part of the suite, without its teacher
                rows.append((cell, difference(cell, teacher)))
    return with_q_values(rows)


def across_targets(record: RunRecord) -> list[Comparison]:
    """Every model's cells on a target against its own on the first target that measured it: what other hardware, or
    lower precision, costs and wins.

    Samples of the same ids are paired. Timings of two targets come of two sessions, and are compared unpaired.
    """
    suite = recorded_suite(record)
    cells = {(m.model, m.name, m.target): m for m in record.measurements if m.slice == "all"}
    rows: list[Row] = []
    for model, name in dict.fromkeys((model, name) for model, name, _ in cells):
        there = [cells[model, name, target] for target in suite.targets if (model, name, target) in cells]
        rows += [(cell, difference(cell, there[0])) for cell in there[1:]]
    return with_q_values(rows)


def between_runs(record: RunRecord, earlier: RunRecord) -> list[Comparison]:
    """Every measurement that both runs have, this run's against the earlier one's; names of the latter say so."""
    return between(Baseline.of(record), Baseline.of(earlier), "earlier")


def between(ours: Baseline, theirs: Baseline, label: str) -> list[Comparison]:
    """Every measurement that both have, ours against theirs; the label stands before the cases of the latter."""
    common = Common.SEEDS if ours.pairing_key == theirs.pairing_key else Common.NOTHING
    before = {measurement.identity: measurement for measurement in theirs.measurements}
    rows: list[Row] = []
    for measurement in ours.measurements:
        found = before.get(measurement.identity)
        if found is not None:
            named = found.model_copy(update={"case_key": f"{label}:{found.case_key}"})
            rows.append((measurement, difference(measurement, named, common=common)))
    return with_q_values(rows)


def with_q_values(rows: Sequence[Row]) -> list[Comparison]:
    """The comparisons in their order; those on slices with the q-value of the table they stand in.

    A table is one metric on one target over the slices of one kind (``class=...``), of all candidates. Benjamini and
    Hochberg holds for it although the candidates share their teacher, which makes differences alike, not opposite
    (Benjamini and Yekutieli 2001, positive dependence); where slices share samples, Yekutieli's correction is taken.
    """
    tables: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, (cell, comparison) in enumerate(rows):
        if comparison.p_value is not None and cell.slice != "all":
            tables[cell.name, cell.target, _kind(cell.slice)].append(index)
    result = [comparison for _, comparison in rows]
    for indices in tables.values():
        p_values = [p for p in (result[index].p_value for index in indices) if p is not None]
        adjusted = q_values(p_values, overlapping=_overlap([rows[index][0] for index in indices]))
        for index, q in zip(indices, adjusted, strict=True):
            result[index] = result[index].model_copy(update={"q_value": q})
    return result


def _kind(slice_id: str) -> str:
    """``class=sneaker&guidance=2.5`` -> ``class&guidance``."""
    return "&".join(part.partition("=")[0] for part in slice_id.split("&"))


def _overlap(cells: Sequence[Measurement | Missing]) -> bool:
    """Whether two slices share samples, or whether nobody knows."""
    ids: dict[str, Ids] = {cell.slice: cell.sample_ids if isinstance(cell, Measurement) else None for cell in cells}
    return any(_shared(a, b) for a, b in combinations(ids.values(), 2))


def _shared(a: Ids, b: Ids) -> bool:
    return a is None or b is None or bool(np.intersect1d(a, b).size)
