"""Suite -> Plan: every model on every target, its slices, and what is known beforehand not to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from evalsuite import plugins
from evalsuite.errors import CellError, Failed, Skipped, Unavailable, UsageError, nearest
from evalsuite.files import content_key
from evalsuite.models.contract import Capabilities, Downloadable, ModelAdapter
from evalsuite.pipeline.cells import cells_of
from evalsuite.pipeline.conditions import WHAT, conditions_of
from evalsuite.pipeline.environment import version_of
from evalsuite.pipeline.slicing import Varied, slices_of
from evalsuite.records import Case, Missing, NoiseSpec, Plan
from evalsuite.slices.contract import Search, SliceCase, lacking
from evalsuite.suite.schema import ModelSpec, Suite
from evalsuite.targets.contract import Target

PIXEL_VERSION = 1
"""Counted up when the engine changes what is generated for the same description."""

WHOLE = "all"
Only = Mapping[str, Sequence[str]]
"""Globs by ``model``, ``target``, ``slice`` and ``scenario``; what is not named is not limited."""


def make_plan(suite: Suite, *, only: Only | None = None, allow_code: bool = False) -> Plan:
    """All cases of a suite, teachers first; the slice ``all`` is always among them, since other slices refer to it.

    Raises:
        UsageError: ``only`` matches nothing, or a model runs the user's code without ``allow_code``.
    """
    if not allow_code:
        _refuse_code(suite)
    draft = _Draft(suite, _Filter(only or {}))
    draft.add_all()
    if not draft.cases and not draft.missing:
        raise UsageError(f"nothing is left to run: no model and target of the suite match {dict(only or {})}")
    return Plan(suite.suite_hash, tuple(draft.cases), tuple(draft.missing), tuple(draft.slices.notes()))


def with_samples(suite: Suite, num_samples: int | None) -> Suite:
    """The suite with another number of samples."""
    if num_samples is None:
        return suite
    if num_samples < 1:
        raise UsageError(f"--samples {num_samples}: found {num_samples}, expected at least 1")
    return suite.model_copy(update={"sampling": suite.sampling.model_copy(update={"num_samples": num_samples})})


def with_profile(suite: Suite, profile: str | None) -> Suite:
    """The suite with another duration of timings."""
    return suite if profile is None else suite.model_copy(update={"profile": profile})


def downloadable(suite: Suite, only: Only) -> list[Downloadable]:
    """The adapters of the chosen models that may have to download something."""
    chosen = _Filter(only)
    adapters = [adapter_of(spec) for name, spec in suite.models.items() if chosen.keeps("model", name)]
    return [adapter for adapter in adapters if isinstance(adapter, Downloadable)]


def adapter_of(spec: ModelSpec | Case) -> ModelAdapter:
    """The model adapter with its settings.

    Raises:
        UsageError: the settings do not fit.
    """
    try:
        adapter: ModelAdapter = plugins.find("models", spec.adapter).model_validate(dict(spec.settings))
    except ValidationError as error:
        raise UsageError(f"model adapter {spec.adapter}: {_sentence(error)}") from error
    return adapter


def target_of(suite: Suite, name: str, changes: Mapping[str, Any] | None = None) -> Target:
    """The target of that name with its settings, some of them changed.

    Raises:
        Skipped: it cannot take the changes.
    """
    spec = suite.targets[name]
    try:
        target: Target = plugins.find("targets", spec.device).model_validate({**spec.settings, **(changes or {})})
    except ValidationError as error:
        raise Skipped(f"target {name}: {_sentence(error)}") from error
    return target


def keeps(only: Only, kind: str, name: str) -> bool:
    """Whether a model, target or slice of that name is among those to run."""
    globs = only.get(kind)
    return globs is None or any(fnmatchcase(name, glob) for glob in globs)


@dataclass(frozen=True)
class _Filter:
    only: Only

    def __post_init__(self) -> None:
        known = ("model", "target", "slice", "scenario")
        for kind in self.only:
            if kind not in known:
                raise UsageError(f"--only {kind}=...: cells cannot be chosen by {kind!r}; {nearest(kind, known)}")

    def keeps(self, kind: str, name: str) -> bool:
        return keeps(self.only, kind, name)


class _Draft:
    """A plan in the making."""

    def __init__(self, suite: Suite, chosen: _Filter) -> None:
        self.suite, self.chosen = suite, chosen
        self.cases: list[Case] = []
        self.missing: list[Missing] = []
        self.sample_ids = np.arange(suite.sampling.num_samples, dtype=np.int64)
        self.conditions = conditions_of(suite)
        self.search_keys: dict[tuple[str, str], str] = {}
        self.slices = slices_of(suite, self.conditions.columns(self.sample_ids)).chosen(
            lambda slice_id: chosen.keeps("slice", slice_id)
        )

    def add_all(self) -> None:
        models = sorted(self.suite.models.items(), key=lambda item: item[1].role != "teacher")
        for model, spec in models:
            for target in spec.targets or self.suite.targets:
                if self.chosen.keeps("model", model) and self.chosen.keeps("target", target):
                    self._add_pair(model, spec, target)

    def _add_pair(self, model: str, spec: ModelSpec, target: str) -> None:
        """All cases of one model on one target."""
        whole = self._case(model, spec, target, SliceCase(WHOLE))
        subsets = [part_of(whole, part, part, where) for part, where in self.slices.subsets.items()]
        variations = [(one, self._case(model, spec, target, one.case)) for one in self.slices.variations]
        try:
            adapter = adapter_of(spec)
            capabilities = self._checked(adapter, target_of(self.suite, target))
            whole = replace(whole, samples_key=self._samples_key(whole, adapter))
        except CellError as error:
            crossed = [part for one, case in variations for part in _crossed(one, case)]
            self._give_up([whole, *(case for _, case in variations), *subsets, *crossed], error)
            return
        self.cases.append(whole)
        self._add_parts(whole, subsets, capabilities)
        for one, case in variations:
            self._add_variation(one, case, capabilities)

    def _checked(self, adapter: ModelAdapter, target: Target) -> Capabilities:
        reason = target.unavailable_reason()
        if reason is not None:
            raise Unavailable(reason)
        capabilities = adapter.capabilities()
        require_obeyed(target, capabilities)
        self.conditions.asked_of(capabilities)
        wanted = self.suite.sampling.num_samples
        if capabilities.max_samples is not None and capabilities.max_samples < wanted:
            raise Failed(f"it has {capabilities.max_samples} samples, the suite asks for {wanted}")
        return capabilities

    def _add_variation(self, one: Varied, case: Case, capabilities: Capabilities) -> None:
        try:
            if why := lacking(one.case, capabilities):
                raise Skipped(f"slice {case.slice}: {why}")
            require_obeyed(target_of(self.suite, case.target, case.target_changes), capabilities)
            case = replace(case, search_key=self._search_key(case, one.case))
            case = replace(case, samples_key=self._samples_key(case, _varied(case)))
        except CellError as error:
            self._give_up([case, *_crossed(one, case)], error)
        else:
            self.cases.append(case)
            self._add_parts(case, _crossed(one, case), capabilities)

    def _add_parts(self, parent: Case, parts: Sequence[Case], capabilities: Capabilities) -> None:
        if self.conditions.asked_of(capabilities) == self.conditions:
            self.cases.extend(replace(part, samples_key=parent.samples_key) for part in parts)
        else:
            self._give_up(parts, Skipped(f"{parent.model} cannot be asked for {WHAT[self.conditions.kind]}"))

    def _case(self, model: str, spec: ModelSpec, target: str, part: SliceCase) -> Case:
        return Case(
            key=f"{model}@{target}/{part.id}",
            samples_key="",
            model=model,
            role=spec.role,
            adapter=spec.adapter,
            settings={**spec.settings, **part.settings},
            target=target,
            slice=part.id,
            noise=part.noise or NoiseSpec(),
            change=part.change,
            target_changes=part.target,
            sample_ids=self.sample_ids,
        )

    def _search_key(self, case: Case, part: SliceCase) -> str:
        """SHA-256 of everything that decides what is searched for; "" where nothing is.

        Raises:
            CellError: the suite lacks one of the models that a search needs, or the attacked one cannot do the slice.
        """
        search = case.change
        if not isinstance(search, Search):
            return ""
        names = (self.suite.teacher, search.against)
        specs = [self.suite.models[name] for name in names if name in self.suite.models]
        if len(specs) < len(names):
            raise Skipped(
                f"slice {case.slice}: the suite has no {'teacher' if names[0] is None else f'model {search.against!r}'}"
            )
        if why := lacking(part, adapter_of(specs[1]).capabilities()):
            raise Skipped(f"slice {case.slice}: {search.against} is to be attacked, and {why}")
        place = search.key(), case.target
        if place not in self.search_keys:  # once, since a model without a fingerprint never has the same key twice
            of = [
                self._samples_key(self._case(str(name), spec, case.target, SliceCase(WHOLE)), adapter_of(spec))
                for name, spec in zip(names, specs, strict=True)
            ]
            self.search_keys[place] = content_key([search.key(), *of])
        return self.search_keys[place]

    def _samples_key(self, case: Case, adapter: ModelAdapter) -> str:
        """SHA-256 of everything that changes pixels; of nothing that does not, the number of samples included.

        Raises:
            CellError: the target cannot do what the slice asks for, or the model cannot be read.
        """
        fingerprint = adapter.fingerprint()
        target = target_of(self.suite, case.target, case.target_changes)
        return content_key(
            {
                "version": PIXEL_VERSION,
                "adapter": case.adapter,
                "fingerprint": fingerprint or _unrepeatable(),
                "noise": asdict(case.noise),
                "change": case.search_key or (None if case.change is None else case.change.key()),
                "seed": self.suite.sampling.seed,
                "conditions": self.conditions.key(),
                "target": target.pixel_settings(),
                "numpy": version_of("numpy"),
                "torch": version_of("torch"),
            }
        )

    def _give_up(self, cases: Sequence[Case], error: CellError) -> None:
        self.missing.extend(gap for cell in cells_of(self.suite, cases) for gap in cell.missing(error))


def _refuse_code(suite: Suite) -> None:
    for name, spec in suite.models.items():
        if plugins.find("models", spec.adapter).runs_user_code:
            raise UsageError(
                f"model {name!r} (adapter {spec.adapter}) runs Python code that the suite names; "
                "read that code, then say --allow-code (in Python: allow_code=True)"
            )


def part_of(parent: Case, slice_id: str, part: str, where: NDArray[np.int64]) -> Case:
    """A slice that is part of another case's samples."""
    return replace(
        parent,
        key=f"{parent.model}@{parent.target}/{slice_id}",
        slice=slice_id,
        sample_ids=parent.sample_ids[where],
        parent=parent.key,
        part=part,
    )


def _crossed(one: Varied, case: Case) -> list[Case]:
    """The parts of a variation that the suite asks for."""
    return [part_of(case, one.id_of(part), part, where) for part, where in one.crossed.items()]


def require_obeyed(target: Target, capabilities: Capabilities) -> None:
    """Raises Skipped for a target that asks a model for what it cannot do: numbers would go under a wrong name."""
    ignored = [name for name in target.demands() if name not in capabilities.obeys]
    if ignored:
        raise Skipped(
            f"the target's {' and '.join(ignored)} {'means' if len(ignored) == 1 else 'mean'} nothing to this model; "
            "give it a target without"
        )


def _varied(case: Case) -> ModelAdapter:
    try:
        return adapter_of(case)
    except UsageError as error:
        raise Skipped(f"slice {case.slice}: {error}") from error


def _unrepeatable() -> str:
    """A fingerprint for a model that has none: never the same twice, so nothing of it is found in the cache."""
    import uuid

    return f"uncached-{uuid.uuid4().hex}"


def _sentence(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'settings'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    )
