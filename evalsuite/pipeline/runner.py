"""Suite -> RunRecord: the straight line plan, generate, extract, measure, profile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalsuite import plugins
from evalsuite.datasets.contract import Dataset
from evalsuite.errors import Interrupted, Unavailable
from evalsuite.executors.contract import Executor
from evalsuite.pipeline.commit import describe_commit
from evalsuite.pipeline.deriving import derive
from evalsuite.pipeline.environment import describe_machine
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.extract import extract
from evalsuite.pipeline.flags import ROOM as FLAGS
from evalsuite.pipeline.flags import findings_of
from evalsuite.pipeline.folder import EventLog, open_folder, write_outcome
from evalsuite.pipeline.gallery import make_gallery
from evalsuite.pipeline.generate import Samples, generate
from evalsuite.pipeline.measure import measure
from evalsuite.pipeline.placed import ROOM as PLACED
from evalsuite.pipeline.placed import placed
from evalsuite.pipeline.plan import Only, adapter_of, downloadable, make_plan, with_profile, with_samples
from evalsuite.pipeline.profile import profile
from evalsuite.pipeline.samples import ROOM as SAMPLES
from evalsuite.pipeline.searching import search
from evalsuite.pipeline.timed_part import generating, timed_part
from evalsuite.prompts.contract import PromptSet
from evalsuite.records import Case, Finding, Plan, RunRecord, Scalar
from evalsuite.store import Store
from evalsuite.suite.schema import PromptSpec, ReferenceSpec, Suite

NOTHING_DRAWN = Finding(
    audit="timed_outputs",
    severity="info",
    evidence="no samples were generated, so what was timed is not compared with what was scored",
)


@dataclass(frozen=True)
class RunOptions:
    """How to run a suite; nothing here changes what is measured, except ``samples`` and ``only``.

    Attributes:
        out: the run's own folder; None for a new one below ``runs/``.
        only: globs by model, target and slice; by scenario: nothing but timings.
        samples: in place of the suite's number.
        cache: the store's folder; None for the default.
        executor: where processes run.
        fresh_timings: time again what the store has.
        allow_code: whether code that the suite names may run.
        profile: how long to time, in place of the suite's: ``ci``, ``standard`` or ``strict``.
        timeout_s: a child process that tells no progress for so long is ended.
        command: how the run was started, for the record.
    """

    out: Path | None = None
    only: Only = field(default_factory=dict)
    samples: int | None = None
    cache: Path | None = None
    executor: str = "local"
    fresh_timings: bool = False
    allow_code: bool = False
    profile: str | None = None
    timeout_s: float = 600.0
    command: str = ""


def execute(suite: Suite, options: RunOptions, listener: Listener) -> tuple[RunRecord, Path]:
    """Run a suite; the record, which lies in the returned folder too.

    Raises:
        UsageError: the suite or the options make no sense on this machine; nothing was done.
        StoreError: the cache or the run folder cannot be written.
        Interrupted: the user stopped it; what is finished is in the store.
    """
    started, code = datetime.now(UTC), describe_commit()
    suite = timed_part(with_profile(with_samples(suite, options.samples), options.profile), options.only)
    plan = make_plan(suite, only=options.only, allow_code=options.allow_code)
    if _download(suite, options, listener):
        plan = make_plan(suite, only=options.only, allow_code=options.allow_code)
    executor: Executor = plugins.find("executors", options.executor)()
    store = Store(options.cache)
    folder = open_folder(suite, options.out)
    with _told(listener, folder) as tell, _stopped_cleanly(options), _unrepeatable_forgotten(plan, store):
        tell(Event("stage", "plan", total=len(plan.cases)))
        for gap in plan.missing:
            tell(Event("missing", "plan", gap.case_key, message=f"{gap.name}: {gap.reason}"))
        common: dict[str, Any] = {"executor": executor, "store": store, "listener": tell}
        drawn = generating(suite, plan)
        notes = [] if drawn is plan else [NOTHING_DRAWN]
        for note in notes:
            tell(Event("warning", "generate", message=note.evidence))
        unfound = search(suite, drawn, **common, timeout_s=options.timeout_s)
        samples = generate(suite, drawn, **common, timeout_s=options.timeout_s, unfound=unfound)
        features = extract(suite, drawn, samples, **common, timeout_s=options.timeout_s)
        derived = derive(suite, plan, samples, features, only=options.only, listener=tell)
        profiled = profile(
            suite,
            _runnable(plan, drawn, samples),
            **common,
            fresh=options.fresh_timings,
            profile=suite.profile,
            patience_s=options.timeout_s,
            scored=samples.sets,
        )
        plan = derived.plan
        measured, gaps = measure(
            suite,
            plan,
            samples,
            features,
            profiled.timings,
            profiled.missing,
            store=store,
            listener=tell,
            reference_parts=derived.reference_parts,
        )
        record = RunRecord(
            suite=suite.model_dump(mode="json"),
            suite_hash=suite.suite_hash,
            environment=describe_machine(),
            provenance=_provenance(suite, plan, options, started, code),
            slices=list(plan.slices),
            measurements=measured,
            timings=profiled.timings,
            missing=[*plan.missing, *gaps],
            findings=[*notes, *findings_of(drawn, samples.sets), *derived.findings, *profiled.findings],
            gallery=make_gallery(suite, generating(suite, plan), samples, features, measured, folder, store),
            weights=placed(drawn, store),
        )
        write_outcome(record, suite, folder)
    return record, folder


def _download(suite: Suite, options: RunOptions, listener: Listener) -> bool:
    """Get what models lack and their settings allow to download; whether there was anything.

    It follows a first plan, so that nothing is downloaded for a suite that cannot run; what cannot be had is missing
    from the second.
    """
    lacking = [adapter for adapter in downloadable(suite, options.only) if adapter.downloads()]
    for adapter in lacking:
        for download in adapter.downloads():
            listener(Event("stage", "download", download.name))
        with suppress(Unavailable):
            adapter.fetch()
    return bool(lacking)


def _runnable(plan: Plan, drawn: Plan, samples: Samples) -> Plan:
    """The plan without cases that failed to generate: they would fail again, and end the timing of the others."""
    failed = {case.key for case in drawn.cases if (case.parent or case.key) not in samples.sets}
    return replace(plan, cases=tuple(case for case in plan.cases if case.key not in failed))


@contextmanager
def _told(listener: Listener, folder: Path) -> Iterator[Listener]:
    """A listener that also writes the run's ``events.jsonl``."""
    log = EventLog(folder)

    def tell(event: Event) -> None:
        log(event)
        listener(event)

    try:
        yield tell
    finally:
        log.close()


@contextmanager
def _stopped_cleanly(options: RunOptions) -> Iterator[None]:
    """Ctrl-C becomes a sentence; the executor has ended its processes by then."""
    try:
        yield
    except KeyboardInterrupt as error:
        again = options.command or "the same command"
        raise Interrupted(
            f"stopped; what is finished is in the cache. To go on from there, run again: {again}"
        ) from error


@contextmanager
def _unrepeatable_forgotten(plan: Plan, store: Store) -> Iterator[None]:
    """Remove samples that no later run can find, because their model has no fingerprint."""
    try:
        yield
    finally:
        for case in plan.cases:
            if case.parent is None and not adapter_of(case).fingerprint():
                store.forget(SAMPLES, case.samples_key)
                store.forget(FLAGS, case.samples_key)
                store.forget(PLACED, case.samples_key)


def _provenance(
    suite: Suite, plan: Plan, options: RunOptions, started: datetime, code: dict[str, Scalar] | None
) -> dict[str, Any]:
    return {
        "models": {case.model: _of_model(case) for case in plan.cases if case.slice == "all"},
        "datasets": {} if suite.reference is None else {suite.reference.dataset: _of_dataset(suite.reference)},
        "inputs": {} if suite.inputs is None else {suite.inputs.dataset: _of_dataset(suite.inputs)},
        "prompts": {} if suite.prompts is None else {suite.prompts.set: _of_prompts(suite.prompts)},
        "command": options.command,
        "code": code,
        "only": {kind: list(globs) for kind, globs in options.only.items()},
        "profile": suite.profile,
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _of_dataset(spec: ReferenceSpec) -> dict[str, Any]:
    dataset: Dataset = plugins.find("datasets", spec.dataset).model_validate(spec.settings)
    return {
        "fingerprint": dataset.fingerprint(),
        "size": dataset.size(),
        "classes": list(dataset.class_names()),
        "licence": dataset.licence,
        "source": dataset.source,
    }


def _of_prompts(spec: PromptSpec) -> dict[str, Any]:
    prompts: PromptSet = plugins.find("prompts", spec.set).model_validate(spec.settings)
    return {
        "fingerprint": prompts.fingerprint(),
        "size": len(prompts.texts()),
        "licence": prompts.licence,
        "source": prompts.source,
    }


def _of_model(case: Case) -> dict[str, Any]:
    adapter = adapter_of(case)
    capabilities = adapter.capabilities()
    return {
        **adapter.provenance(),
        "fingerprint": adapter.fingerprint(),
        "num_steps": capabilities.num_steps,
        "nfe": capabilities.nfe,
        "seeded": capabilities.seeded,
    }
