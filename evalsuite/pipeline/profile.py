"""Plan -> Timings: speed, memory and size of every model, all models of a target measured together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import CellError, Failed, Skipped, Unavailable, UnknownNameError
from evalsuite.executors.contract import Executor
from evalsuite.files import content_key
from evalsuite.metrics.contract import Inputs, TimingMetric
from evalsuite.models.contract import Batch
from evalsuite.pipeline.cells import PlannedCell, cells_of
from evalsuite.pipeline.conditions import conditions_of
from evalsuite.pipeline.environment import describe_machine, version_of
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.plan import adapter_of
from evalsuite.pipeline.samples import SampleSet
from evalsuite.profiles import PROFILES, ProfileName
from evalsuite.profiling.agreement import Scored
from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.session import ReportTurn, Session
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.records import Case, Finding, Missing, Plan, Timings
from evalsuite.scenarios.contract import Scenario
from evalsuite.store import Store
from evalsuite.suite.schema import Suite, TargetSpec
from evalsuite.targets.contract import Target

ROOM = "timings"
CHECKPOINTS_ON = TargetSpec(device="cpu", settings={"dtype": "float32"})
"""Where what no target changes is counted."""

Gaps = dict[tuple[str, str], CellError]
"""By case key and scenario: why the case was not measured in it."""


@dataclass
class Profiled:
    """What the profile step found out."""

    timings: list[Timings] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def profile(
    suite: Suite,
    plan: Plan,
    *,
    executor: Executor,
    store: Store,
    listener: Listener,
    fresh: bool = False,
    profile: str = "standard",
    patience_s: float = 600.0,
    scored: Mapping[str, SampleSet] | None = None,
) -> Profiled:
    """Measure every model on every target, on the slice ``all``, in the scenarios that the suite's metrics need.

    A target's models are measured in one session and kept together: a session that was interrupted, or in which a
    model failed, is done again whole, because values taken at different times are not paired.

    Args:
        suite: the suite.
        plan: its cases.
        executor: where the models' processes run.
        store: keeps what complete sessions found.
        listener: told of every turn.
        fresh: measure again what the store has.
        profile: ``ci``, ``standard`` or ``strict``: how much each scenario measures.
        patience_s: a model that does not answer for so long is ended.
        scored: the samples that quality was measured on, by case key: timed outputs must be the same. None where there
            are none, so that nothing is checked.

    Raises:
        UnknownNameError: there is no such profile.
    """
    if profile not in PROFILES:
        raise UnknownNameError("profile", profile, PROFILES)
    cells = [cell for cell in cells_of(suite, plan.cases) if cell.metric.inputs == Inputs.TIMINGS]
    listener(Event("stage", "profile", total=len({cell.case.key for cell in cells})))
    found, gaps, timed = Profiled(), Gaps(), []
    for cell in cells:
        if adapter_of(cell.case).capabilities().timed:
            timed.append(cell)
        else:
            found.missing.extend(cell.missing(Skipped(f"adapter {cell.case.adapter} has no speed to measure")))
    for together in _sessions(suite, timed, profile, scored or {}):
        kept = None if fresh else together.recall(store)
        if kept is None:
            entrants = together.measure(executor, patience_s, _turn_reporter(listener))
            kept = together.keep(entrants, store)
        else:
            for case_key in together.cases:
                listener(Event("cached", "profile", case_key))
        found.timings.extend(kept.timings)
        found.findings.extend(kept.findings)
        gaps |= kept.gaps
    found.missing.extend(gap for cell in timed for gap in _missing(cell, gaps))
    for absent in found.missing:
        listener(Event("missing", "profile", absent.case_key, message=f"{absent.name}: {absent.reason}"))
    return found


def _missing(cell: PlannedCell, gaps: Gaps) -> list[Missing]:
    """The records of a cell without numbers: one of its scenarios failed, or none of them can be had."""
    wanted = cast(TimingMetric, cell.metric).scenarios
    errors = [gaps[cell.case.key, text] for text in wanted if (cell.case.key, text) in gaps]
    failed = [error for error in errors if isinstance(error, Failed)]
    return cell.missing((failed or errors)[0]) if failed or len(errors) == len(wanted) else []


@dataclass
class _Kept:
    """What a session found out."""

    timings: list[Timings] = field(default_factory=list)
    gaps: Gaps = field(default_factory=Gaps)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _Together:
    """Cases that are measured in one session.

    Attributes:
        suite: theirs.
        spec: the target.
        cases: by the key of the case that is measured, those that share what comes of it.
        scenarios: by the texts that metrics name them by.
        profile: how much is measured.
        scored: the samples that quality was measured on, by case key.
    """

    suite: Suite
    spec: TargetSpec
    cases: Mapping[str, Sequence[Case]]
    scenarios: Mapping[str, Scenario]
    profile: str
    scored: Mapping[str, SampleSet]

    def key(self) -> str:
        """SHA-256 of everything known beforehand that can change a timing; what the target's time costs cannot."""
        settings = {name: value for name, value in self.spec.settings.items() if name != "price_per_hour"}
        return content_key(
            {
                "sources": plugins.sources_hash("profiling", "scenarios", "executors", "targets"),
                "models": [[case.key, case.samples_key] for shared in self.cases.values() for case in shared],
                "target": [self.spec.device, settings],
                "scenarios": sorted(self.scenarios),
                "profile": self.profile,
                "scored": {key: key in self.scored for key in self.cases},
                "machine": [describe_machine(), self._target().hardware(), version_of("nvidia-ml-py")],
            }
        )

    def recall(self, store: Store) -> _Kept | None:
        """What an earlier session found, if nothing has changed since."""
        found = store.read_document(ROOM, self.key())
        if found is None:
            return None
        document = found[0]
        kinds = {"skipped": Skipped, "unavailable": Unavailable}
        gaps = {(key, text): kinds[kind](reason) for key, text, kind, reason in document["gaps"]}
        return _Kept(
            [Timings.model_validate(timing) for timing in document["timings"]],
            {**gaps},
            [Finding.model_validate(finding) for finding in document["findings"]],
        )

    def measure(self, executor: Executor, patience_s: float, report: ReportTurn) -> list[Entrant]:
        """Run the session now."""
        entrants = [self._entrant(shared[0]) for shared in self.cases.values()]
        session = Session(
            executor, cast(ProfileName, self.profile), self.scenarios, self.suite.sampling.seed, patience_s, report
        )
        session.run(entrants)
        return entrants

    def keep(self, entrants: Sequence[Entrant], store: Store) -> _Kept:
        """What was found; stored if the session was complete and its models can be told apart from changed ones."""
        kept = _Kept(findings=[finding for entrant in entrants for finding in entrant.findings])
        for entrant in entrants:
            for case in self.cases[entrant.case_key]:
                kept.timings.extend(timing.model_copy(update={"case_key": case.key}) for timing in entrant.timings)
                error = entrant.error
                gaps = entrant.gaps if error is None else dict.fromkeys(self.scenarios, error)
                kept.gaps |= {(case.key, text): gap for text, gap in gaps.items()}
        complete = all(entrant.error is None for entrant in entrants)
        if complete and all(adapter_of(shared[0]).fingerprint() for shared in self.cases.values()):
            gaps_found = [[*where, gap.kind, str(gap)] for where, gap in kept.gaps.items()]
            timings = [timing.model_dump(mode="json") for timing in kept.timings]
            findings = [finding.model_dump(mode="json") for finding in kept.findings]
            document = {"timings": timings, "gaps": gaps_found, "findings": findings}
            store.write_document(ROOM, self.key(), document)
        return kept

    def _entrant(self, case: Case) -> Entrant:
        spec = SubjectSpec(case.adapter, dict(case.settings), self.spec.device, dict(self.spec.settings))
        batch_of, batch_size = _batch_maker(case, self.suite), self._target().batch_size
        return Entrant(case.key, spec, batch_of, batch_size, self._scored(case))

    def _scored(self, case: Case) -> Scored | None:
        """What timed outputs are compared with; nothing for a model whose seeds do not decide its images."""
        samples, capabilities = self.scored.get(case.key), adapter_of(case).capabilities()
        if samples is None or not capabilities.seeded:
            return None
        reduced = not self._target().demands().keys().isdisjoint({"dtype", "compile", "quantize"})
        return Scored(samples.images, len(case.sample_ids), capabilities.tolerance, reduced)

    def _target(self) -> Target:
        target: Target = plugins.find("targets", self.spec.device).model_validate(self.spec.settings)
        return target


def _sessions(
    suite: Suite, cells: Sequence[PlannedCell], profile: str, scored: Mapping[str, SampleSet]
) -> Iterator[_Together]:
    """One for each target; and one for each model where something is asked that no target changes."""
    for name, spec in suite.targets.items():
        there = [cell for cell in cells if cell.case.target == name]
        scenarios = {text: one for text, one in _scenarios(there).items() if one.kind != "checkpoint"}
        if scenarios:
            yield _Together(suite, spec, {cell.case.key: [cell.case] for cell in there}, scenarios, profile, scored)
    for model in suite.models:
        of_model = [cell for cell in cells if cell.case.model == model]
        scenarios = {text: one for text, one in _scenarios(of_model).items() if one.kind == "checkpoint"}
        if scenarios:
            cases = list({cell.case.key: cell.case for cell in of_model}.values())
            yield _Together(suite, CHECKPOINTS_ON, {cases[0].key: cases}, scenarios, profile, {})


def _scenarios(cells: Sequence[PlannedCell]) -> dict[str, Scenario]:
    """What the metrics read, by the texts that they name it by."""
    texts = dict.fromkeys(text for cell in cells for text in cast(TimingMetric, cell.metric).scenarios)
    return {text: cast(Scenario, plugins.make("scenarios", text)) for text in texts}


def _batch_maker(case: Case, suite: Suite) -> Callable[[NDArray[np.int64]], Batch]:
    asked = conditions_of(suite).asked_of(adapter_of(case).capabilities())

    def batch_of(ids: NDArray[np.int64]) -> Batch:
        return asked.batch(ids, suite.sampling.seed, case.noise)

    return batch_of


def _turn_reporter(listener: Listener) -> ReportTurn:
    def report(case_key: str, scenario: str, done: int, total: int) -> None:
        listener(Event("progress", "profile", case_key, done, total, scenario))

    return report
