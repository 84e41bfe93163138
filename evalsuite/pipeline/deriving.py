"""Features -> slices that nobody declared, and the plan with them: what they are measured on next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import CellError, Skipped
from evalsuite.pipeline.cells import cells_of
from evalsuite.pipeline.conditions import Conditions, conditions_of
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.extract import Features
from evalsuite.pipeline.generate import Samples
from evalsuite.pipeline.plan import WHOLE, Only, adapter_of, keeps, part_of
from evalsuite.pipeline.slicing import Parts, derived_of
from evalsuite.records import Case, FeatureSet, Finding, Missing, Plan, Slice
from evalsuite.slices.contract import Derivation, Material
from evalsuite.suite.schema import Suite

NO_STUDENT = "slices are where a student differs from its teacher, and no student's samples are there to compare"


@dataclass(frozen=True)
class Deriving:
    """A plan with derived slices.

    Attributes:
        reference_parts: positions in the reference by derived slice.
        findings: what was found of each student, and what was not.
    """

    plan: Plan
    reference_parts: Parts = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def derive(
    suite: Suite, plan: Plan, samples: Samples, features: Features, *, only: Only, listener: Listener
) -> Deriving:
    """The plan, and for each derived slice one more case for every model on every target.

    Args:
        only: which slices are kept; they are looked for all the same, since they are not known before.
    """
    found = Deriving(plan)
    for name, kind in derived_of(suite):
        listener(Event("stage", "derive", name))
        try:
            derivation = kind.derive(_material(suite, plan, samples, features, kind.extractor))
        except CellError as error:
            finding = Finding(audit=name, severity="warning", evidence=f"no slices were looked for: {error}")
            found = replace(found, findings=(*found.findings, finding))
        else:
            found = _extended(suite, found, name, derivation, only)
    return found


def _extended(suite: Suite, so_far: Deriving, name: str, derivation: Derivation, only: Only) -> Deriving:
    """The slices that are kept, on every case of all samples, and what is known of them."""
    kept = [one for one in derivation.slices if keeps(only, "slice", one.id)]
    conditions = conditions_of(suite)
    cases: list[Case] = []
    missing: list[Missing] = []
    for whole in (case for case in so_far.plan.cases if case.slice == WHOLE):
        parts = [part_of(whole, one.id, one.id, one.positions) for one in kept]
        if conditions.asked_of(adapter_of(whole).capabilities()) == conditions:
            cases += parts
        else:
            error = Skipped(f"{whole.model} is not asked for what the teacher is, so these samples are no others of it")
            missing += [gap for cell in cells_of(suite, parts) for gap in cell.missing(error)]
    notes = tuple(Slice(id=one.id, kind=name, derived=True) for one in kept)
    plan = replace(
        so_far.plan,
        cases=(*so_far.plan.cases, *cases),
        missing=(*so_far.plan.missing, *missing),
        slices=(*so_far.plan.slices, *notes),
    )
    references = {one.id: one.reference for one in kept if one.reference is not None}
    findings = (*so_far.findings, *_findings(name, derivation))
    return Deriving(plan, {**so_far.reference_parts, **references}, findings)


def _findings(name: str, derivation: Derivation) -> Iterator[Finding]:
    for gap in derivation.gaps:
        evidence = f"{gap.slice}: {gap.evidence}"
        yield Finding(audit=name, severity="warning", evidence=evidence, case_key=gap.case_key, slice=gap.slice)
    if not derivation.gaps:
        evidence = f"on none of {derivation.looked_at} parts of the teacher's samples is a student shown to differ"
        yield Finding(audit=name, severity="info", evidence=evidence)


def _material(suite: Suite, plan: Plan, samples: Samples, features: Features, extractor: str) -> Material:
    """Features of all models' samples.

    Raises:
        CellError: there are none of the teacher, or of any student.
    """
    whole = {case.key: case for case in plan.cases if case.slice == WHOLE and case.key in samples.sets}
    teachers = {case.target: features.of(extractor, key) for key, case in whole.items() if case.model == suite.teacher}
    pairs = dict(_pairs(whole, teachers, features, extractor))
    if not pairs:
        raise Skipped(NO_STUDENT)
    teacher = next(iter(teachers.values()))
    ids = teacher.sample_ids
    conditions = conditions_of(suite)
    units = conditions.clusters(ids)
    return Material(
        sample_ids=ids,
        teacher=teacher.features,
        pairs=pairs,
        units=ids if units is None else units,
        names=_names(conditions, ids),
        reference=_reference(features, extractor),
    )


def _pairs(
    whole: Mapping[str, Case], teachers: Mapping[str, FeatureSet], features: Features, extractor: str
) -> Iterator[tuple[str, tuple[NDArray[np.float32], NDArray[np.float32]]]]:
    """Of each student that has samples, on a target where the teacher has some too."""
    for key, case in whole.items():
        if case.role == "student" and case.target in teachers:
            try:
                mine = features.of(extractor, key)
            except CellError:  # told where its samples, or its features, are missing
                continue
            yield key, (mine.features, teachers[case.target].features)


def _names(conditions: Conditions, ids: NDArray[np.int64]) -> list[str]:
    """The class of each sample; "" where classes are not known."""
    columns = conditions.columns(ids).get("class", {})
    names = [""] * len(ids)
    for name, where in columns.items():
        for position in where:
            names[position] = name
    return names


def _reference(features: Features, extractor: str) -> NDArray[np.float32] | None:
    try:
        found = features.of_reference(extractor)
    except CellError:
        return None
    return found.features if isinstance(found, FeatureSet) else None
