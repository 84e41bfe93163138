"""Which cells a gate compares: of the run, of its teacher, or of a baseline."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from evalsuite.compare.baseline import Baseline, pairing_key
from evalsuite.compare.contrast import Common
from evalsuite.errors import nearest
from evalsuite.records import Cell, Identity, Measurement, Missing, RunRecord
from evalsuite.suite.schema import GateSpec, Suite

NOT_COMPARED = ("reference", "ground_truth", "none")
"""What a cell is measured against where it is not another model: a teacher has such cells, too."""


def declared_candidates(gate: GateSpec, suite: Suite) -> list[str]:
    """``MODEL@TARGET`` of each candidate that a gate of the suite means."""
    model, _, own_target = gate.candidate.partition("@")
    students = [name for name, spec in suite.models.items() if spec.role == "student"]
    target = own_target or gate.target
    return [
        f"{name}@{place}"
        for name in (students if model == "*" else [model])
        for place in suite.targets_of(name, gate.metric)
        if target in (None, place)
    ]


def absent_baseline(gate: GateSpec, baselines: Collection[str]) -> str:
    """Why a gate's baseline cannot be compared with, and what to do; "" where it is there, or none is meant."""
    name = _baseline_of(gate)
    if name is None or name in baselines:
        return ""
    known = f"{nearest(name, baselines)} Or " if baselines else ""
    return f"there is no baseline {name!r}; {known}make one with evalsuite baseline save RUN --name {name}"


def _baseline_of(gate: GateSpec) -> str | None:
    kind, colon, name = (gate.against or "").partition(":")
    return name if colon and kind == "baseline" else None


@dataclass(frozen=True)
class Sides:
    """The two sides of one gate."""

    gate: GateSpec
    suite: Suite
    record: RunRecord
    baselines: Mapping[str, Baseline]

    @property
    def common(self) -> Common:
        """What candidate and other side share."""
        if self._baseline is None:
            return Common.RUN
        earlier = self.baselines.get(self._baseline)
        same = earlier is not None and earlier.pairing_key == pairing_key(self.record)
        return Common.SEEDS if same else Common.NOTHING

    def candidates(self) -> Iterator[str]:
        """``MODEL@TARGET`` of each candidate that is part of this run."""
        ran = {f"{cell.model}@{cell.target}" for cell in self._cells}
        return (who for who in declared_candidates(self.gate, self.suite) if who in ran)

    def cells_of(self, who: str) -> list[Measurement | Missing]:
        """The candidate's cell, or one for each slice of the suite for ``worst``; never none."""
        found = [cell for cell in self._cells if self._is_meant(cell, who)]
        if self.gate.slice == "worst":
            return found or [self._absent(f"{who}/*", "it was measured on no slice")]
        return found or [self._absent(f"{who}/{self.gate.slice}", "it was not measured in this run")]

    def against(self, cell: Measurement | Missing) -> Measurement | Missing | None:
        """The other side of a candidate's cell; None for a limit."""
        if self.gate.against is None:
            return None
        if self._baseline is not None:
            return self._of_baseline(self._baseline, cell)
        model, _, target = self.gate.against.partition("@")
        if model == "teacher" and model not in self.suite.models:
            model = self.suite.teacher or model
        case_key = f"{model}@{target or cell.target}/{cell.slice}"
        if cell.against not in NOT_COMPARED and cell.against.partition("@")[0] == model:
            why = f"{cell.name} compares with {model} already; use test: limit"
            return self._absent(case_key, why)
        # A metric of pairs is measured against the teacher's case on the same target, which may differ from ours.
        names = {cell.against, cell.against.replace(f"@{cell.target}/", f"@{target or cell.target}/")}
        found = (self.record.find(Identity(case_key, cell.name, name)) for name in sorted(names))
        return next((one for one in found if one), None) or self._absent(case_key, "it was not measured in this run")

    @property
    def _cells(self) -> list[Measurement | Missing]:
        return [*self.record.measurements, *self.record.missing]

    @property
    def _baseline(self) -> str | None:
        return _baseline_of(self.gate)

    def _of_baseline(self, name: str, cell: Measurement | Missing) -> Measurement | Missing:
        if absent := absent_baseline(self.gate, self.baselines):
            return self._absent(f"baseline:{name}", absent)
        found = self.baselines[name].find(cell.identity)
        if found is None:
            return self._absent(f"baseline:{name}:{cell.case_key}", "the baseline has no such value")
        return found.model_copy(update={"case_key": f"baseline:{name}:{found.case_key}"})

    def _is_meant(self, cell: Cell, who: str) -> bool:
        if f"{cell.model}@{cell.target}" != who:
            return False
        # Where a metric of several values failed as a whole, its label stands for each of them.
        whole = isinstance(cell, Missing) and self.gate.metric.startswith(f"{cell.name}_")
        if cell.name != self.gate.metric and not whole:
            return False
        if self.gate.slice != "worst":
            return cell.slice == self.gate.slice
        # Slices that were chosen because models differ there would fail more often than the gate's level says.
        return cell.slice != "all" and not any(one.derived and one.id == cell.slice for one in self.record.slices)

    def _absent(self, case_key: str, reason: str) -> Missing:
        where, _, slice_id = case_key.partition("/")
        model, _, target = where.partition("@")
        return Missing(
            name=self.gate.metric,
            metric=self.gate.metric,
            case_key=case_key,
            model=model,
            role="student",
            target=target,
            slice=slice_id or self.gate.slice,
            kind="unavailable",
            reason=reason,
        )
