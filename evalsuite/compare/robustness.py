"""Where models break: what each slice does to a model, and to its gap to the teacher."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from evalsuite.compare.combination import Weighted, combination
from evalsuite.compare.contrast import Incomparable
from evalsuite.compare.difference import describe, difference
from evalsuite.compare.sides import NOT_COMPARED
from evalsuite.records import (
    Comparison,
    Identity,
    Interval,
    LevelCurve,
    LevelPoint,
    Measurement,
    Missing,
    RelativeRobustness,
    Robustness,
    RunRecord,
    Slice,
    SliceRow,
)
from evalsuite.stats.evidence import StudentT, two_sided
from evalsuite.stats.multiple import q_values
from evalsuite.suite.recorded import recorded_suite

WHOLE = "all"
SURE_LOSS = 0.01
"""p-value of "the teacher loses nothing" above which no ratio to its loss is formed: the ratio could be anything."""


def robustness(record: RunRecord) -> Robustness:
    """Every slice of a run, from its record alone."""
    tables = _Tables(record)
    rows = tables.rows()
    return Robustness(
        rows=rows, worst=list(tables.worst(rows)), relative=list(tables.relative()), curves=list(tables.curves())
    )


class _Tables:
    def __init__(self, record: RunRecord) -> None:
        self.slices = {one.id: one for one in record.slices}
        self.teacher = recorded_suite(record).teacher
        self.measured = [m for m in record.measurements if m.slice in self.slices]
        self.cells: Mapping[Identity, Measurement | Missing] = {
            **{cell.identity: cell for cell in record.missing},
            **{cell.identity: cell for cell in record.measurements},
        }

    # --- rows ------------------------------------------------------------------------------------------------------

    def rows(self) -> list[SliceRow]:
        """One for each measurement on a slice."""
        rows = [self._row(cell) for cell in self.measured]
        tables: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            # Slices that were chosen because models differ there have p-values that are too small.
            derived = self.slices[row.slice].derived
            if row.excess is not None and row.excess.p_value is not None and not derived:
                tables[row.name, row.target, self.slices[row.slice].varied].append(index)
        for indices in tables.values():
            for index, q in zip(indices, self._q_values([rows[index] for index in indices]), strict=True):
                assert rows[index].excess is not None
                excess = rows[index].excess.model_copy(update={"q_value": q})  # type: ignore[union-attr]
                rows[index] = rows[index].model_copy(update={"excess": excess})
        return rows

    def _row(self, cell: Measurement) -> SliceRow:
        base, against = self._on_base(cell), self._teachers(cell)
        gap = None if against is None else difference(cell, against)
        excess = None
        if against is not None:
            others = self._on_base(against)
            excess = _compared([(1, cell), (-1, base), (-1, against), (1, others)])
        shift = _compared([(1, cell), (-1, base)])
        fields = {field: getattr(cell, field) for field in ("model", "target", "name", "slice")}
        return SliceRow(cell=cell.identity, shift=shift, gap=gap, excess=excess, **fields)

    def _on_base(self, cell: Measurement | Missing) -> Measurement | Missing | Identity:
        """The same metric of the same model on the slice that this one is a change of."""
        base = self.slices[cell.slice].base
        against = cell.against
        if against not in NOT_COMPARED:  # likeness to the teacher, who is on the base then too
            against = f"{against.partition('/')[0]}/{base}"
        identity = Identity(f"{cell.model}@{cell.target}/{base}", cell.name, against)
        return self.cells.get(identity, identity)

    def _teachers(self, cell: Measurement) -> Measurement | Missing | None:
        """The teacher's value on the same slice."""
        if self.teacher is None or cell.model == self.teacher or cell.against not in NOT_COMPARED:
            return None
        return self.cells.get(Identity(f"{self.teacher}@{cell.target}/{cell.slice}", cell.name, cell.against))

    def _q_values(self, rows: Sequence[SliceRow]) -> list[float]:
        """Benjamini and Yekutieli's where slices share samples, as all variations do."""
        ids = {row.slice: _ids(self.cells[row.cell]) for row in rows}
        overlapping = any(
            a is None or b is None or bool(np.intersect1d(a, b).size) for a, b in combinations(ids.values(), 2)
        )
        p_values = [row.excess.p_value for row in rows if row.excess is not None and row.excess.p_value is not None]
        return q_values(p_values, overlapping)

    def worst(self, rows: Iterable[SliceRow]) -> Iterator[SliceRow]:
        """By model, target and metric the slice with the largest gap, or shift, in the bad direction."""
        groups: dict[tuple[str, str, str], list[tuple[float, SliceRow]]] = defaultdict(list)
        for row in rows:
            cell, judged = self.cells[row.cell], row.gap or row.shift
            if isinstance(cell, Measurement) and cell.higher_is_better is not None and judged.value is not None:
                harm = -judged.value if cell.higher_is_better else judged.value
                groups[row.model, row.target, row.name].append((harm, row))
        for found in groups.values():
            yield max(found, key=lambda pair: pair[0])[1]

    # --- relative to the teacher -----------------------------------------------------------------------------------

    def relative(self) -> Iterator[RelativeRobustness]:
        """The student's summed losses over a curve divided by its teacher's, and their mean over the curves of a kind:
        relative mCE (Hendrycks and Dietterich 2019, arXiv:1903.12261) with the teacher in the place of AlexNet."""
        for (model, target, name), cells in self._of_students().items():
            curves: dict[str, list[_Loss]] = defaultdict(list)
            kinds: dict[str, dict[str, list[_Loss]]] = defaultdict(dict)
            for cell in cells:
                note, loss = self.slices[cell.slice], self._loss(cell)
                if loss is not None:
                    curves[note.curve].append(loss)
                    kinds[_kind(note)][note.curve] = curves[note.curve]
            named = {curve: {curve: losses} for curve, losses in curves.items()}
            named |= {kind: parts for kind, parts in kinds.items() if len(parts) > 1}
            for over, parts in named.items():
                comparison = _ratio(parts)
                yield RelativeRobustness(model=model, target=target, name=name, over=over, comparison=comparison)

    def _of_students(self) -> dict[tuple[str, str, str], list[Measurement]]:
        found: dict[tuple[str, str, str], list[Measurement]] = defaultdict(list)
        for cell in self.measured:
            varied = self.slices[cell.slice].varied and cell.higher_is_better is not None
            if varied and self._teachers(cell) is not None:
                found[cell.model, cell.target, cell.name].append(cell)
        return found

    def _loss(self, cell: Measurement) -> _Loss | None:
        against = self._teachers(cell)
        four = (cell, self._on_base(cell), against, None if against is None else self._on_base(against))
        return four if all(isinstance(one, Measurement) for one in four) else None  # type: ignore[return-value]

    # --- curves ----------------------------------------------------------------------------------------------------

    def curves(self) -> Iterator[LevelCurve]:
        """Values over levels, the base among them where it has a level."""
        found: dict[tuple[str, str, str, str], list[Measurement]] = defaultdict(list)
        for cell in self.measured:
            note = self.slices[cell.slice]
            if note.curve and note.level is not None:
                found[cell.model, cell.target, cell.name, note.curve].append(cell)
        for (model, target, name, curve), cells in found.items():
            points = {level: point for cell in cells for level, point in self._points(cell)}
            ordered = [points[level] for level in sorted(points)]
            if len(ordered) > 1:
                yield LevelCurve(model=model, target=target, name=name, curve=curve, points=ordered)

    def _points(self, cell: Measurement) -> Iterator[tuple[float, LevelPoint]]:
        note, base = self.slices[cell.slice], self._on_base(cell)
        if note.unchanged is not None and isinstance(base, Measurement):
            yield note.unchanged, _point(base, note.unchanged)
        if note.level is not None:
            yield note.level, _point(cell, note.level)


_Loss = tuple[Measurement, Measurement, Measurement, Measurement]
"""On a slice and on its base, of a student; then of its teacher."""


def _kind(note: Slice) -> str:
    """The kind's name, with the subset before it: ``class=sneaker&corruption``."""
    return note.kind if note.base == WHOLE else f"{note.base}&{note.kind}"


def _point(cell: Measurement, level: float) -> LevelPoint:
    return LevelPoint(slice=cell.slice, level=level, value=cell.value, interval=cell.interval)


def _ids(cell: Measurement | Missing) -> Any:
    return cell.sample_ids if isinstance(cell, Measurement) else None


def _compared(parts: Sequence[tuple[float, Measurement | Missing | Identity]]) -> Comparison:
    """The combination as a record, or what it lacks."""
    gaps = [cell for _, cell in parts if not isinstance(cell, Measurement)]
    if gaps:
        first = parts[0][1]
        name = first.name
        return Comparison(name=name, terms=[], incomparable="; ".join(dict.fromkeys(map(_absence, gaps))))
    weighted = [Weighted(coefficient, cell) for coefficient, cell in parts if isinstance(cell, Measurement)]
    terms, cell = [part.term for part in weighted], weighted[0].cell
    try:
        return describe(combination(weighted), cell, terms)
    except Incomparable as error:
        return Comparison(name=cell.name, terms=terms, incomparable=str(error))


def _absence(gap: Measurement | Missing | Identity) -> str:
    if isinstance(gap, Missing):
        return f"no value of {gap.case_key} ({gap.kind}): {gap.reason}"
    return f"no value of {gap.case_key}: it is not part of this run"


def _ratio(curves: Mapping[str, Sequence[_Loss]]) -> Comparison:
    """The mean over curves of the student's summed losses divided by the teacher's, by the delta method.

    Curves on which the teacher may lose nothing are left out, and named: such a ratio could be anything.
    """
    cell = next(iter(curves.values()))[0][0]
    sign = -1.0 if cell.higher_is_better else 1.0
    ratios: list[tuple[float, list[Weighted]]] = []
    without: list[str] = []
    try:
        for name, losses in curves.items():
            ours = [part for one, base, _, _ in losses for part in _loss_terms(sign, one, base)]
            theirs = [part for _, _, one, base in losses for part in _loss_terms(sign, one, base)]
            mine, teachers = combination(ours).evidence.value, combination(theirs).evidence
            if teachers.above(0.0) <= SURE_LOSS:
                loss = teachers.value
                gradient = [Weighted(c / loss, one) for c, one in ours]
                ratios.append((mine / loss, gradient + [Weighted(-c * mine / loss**2, one) for c, one in theirs]))
            else:
                without.append(name)
        if not ratios:
            raise Incomparable("it is not certain that the teacher loses anything, so there is no ratio to its loss")
        parts = [Weighted(c / len(ratios), one) for _, gradient in ratios for c, one in gradient]
        found = combination(parts).evidence
    except Incomparable as error:
        return Comparison(name=cell.name, terms=[], scale="ratio", incomparable=str(error))
    value = float(np.mean([ratio for ratio, _ in ratios]))
    evidence = StudentT(value, found.standard_error or 0.0, found.degrees_of_freedom or np.inf, "delta method")
    low, high = evidence.interval(0.95)
    return Comparison(
        name=cell.name,
        terms=[part.term for part in parts],
        scale="ratio",
        paired=True,
        value=value,
        interval=Interval(low=low, high=high, level=0.95, method=evidence.method),
        p_value=two_sided(evidence, 1.0),
        better=None if low <= 1 <= high else value < 1,
        n=cell.n,
        note=f"without {', '.join(without)}: the teacher may lose nothing there" if without else "",
    )


def _loss_terms(sign: float, cell: Measurement, base: Measurement) -> list[Weighted]:
    return [Weighted(sign, cell), Weighted(-sign, base)]
