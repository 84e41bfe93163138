"""Whether a model keeps its contract: small batches in child processes, judged one claim at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from evalsuite import plugins
from evalsuite.errors import Failed, Unavailable, UsageError
from evalsuite.executors.contract import Executor
from evalsuite.models.contract import Batch, Capabilities
from evalsuite.pipeline.conditions import Conditions
from evalsuite.pipeline.contract_check.bench import Bench, Broken, Finding, Idle, Place
from evalsuite.pipeline.contract_check.claims import CHECKS
from evalsuite.pipeline.plan import adapter_of, require_obeyed
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.records import NoiseSpec
from evalsuite.suite.schema import ModelSpec, TargetSpec
from evalsuite.targets.contract import Target


@dataclass(frozen=True)
class Subject:
    """The model that is checked, and what it is asked for.

    Attributes:
        name: what messages call it.
        model, target: their plug-ins and settings.
        conditions: classes or prompts of its samples, of which it is told what it understands.
        seed: of the suite.
    """

    name: str
    model: ModelSpec
    target: TargetSpec
    conditions: Conditions
    seed: int = 0


@dataclass(frozen=True)
class Check:
    """A claim of the contract, by its name in :data:`CHECKS`, and what was found."""

    name: str
    finding: Finding


def check_model(
    subject: Subject, executor: Executor, *, samples: int = 4, allow_code: bool = False, timeout_s: float = 600.0
) -> Iterator[Check]:
    """Check a model, and tell each finding as soon as it is there.

    Args:
        executor: where its processes run: one for nearly all, and a second to see that nothing hangs on the process.
        samples: size of the batches, at least 2.
        allow_code: whether Python code that the suite names may run.
        timeout_s: seconds that one call may take.

    Raises:
        UsageError: its settings do not fit, or it runs the user's code without ``allow_code``.
        CellError: it cannot be checked: what it needs is not there, it does not understand what the suite asks for, or
            its process died or hung; says in which check.
    """
    if samples < 2:
        raise UsageError(
            f"--samples: found {samples}, expected 2 or more, since a batch is compared with a single image"
        )
    adapter = adapter_of(subject.model)
    if adapter.runs_user_code and not allow_code:
        raise UsageError(
            f"{subject.name} (adapter {subject.model.adapter}) runs Python code; read that code, then say --allow-code"
        )
    capabilities = adapter.capabilities()
    batch = _batch(subject, capabilities, samples)
    with ExitStack() as stack:
        bench = Bench(Place(executor, _spec(subject, capabilities), stack, timeout_s), capabilities, batch)
        for name, check in CHECKS.items():
            try:
                yield Check(name, check(bench))
            except Broken as broken:
                yield Check(name, broken.finding)
            except Idle as idle:
                yield Check(name, Finding("not applicable", str(idle)))
            except Failed as error:
                raise Failed(f"{subject.name}: while checking {name!r}: {error}") from error


def _batch(subject: Subject, capabilities: Capabilities, samples: int) -> Batch:
    count = min(samples, capabilities.max_samples or samples)
    ids = np.arange(count, dtype=np.int64)
    return subject.conditions.asked_of(capabilities).batch(ids, subject.seed, NoiseSpec())


def _spec(subject: Subject, capabilities: Capabilities) -> SubjectSpec:
    """What its processes are told.

    Raises:
        Unavailable: this machine lacks the target.
        Skipped: the model does not obey the target.
    """
    model, target = subject.model, subject.target
    chosen: Target = plugins.find("targets", target.device).model_validate(target.settings)
    reason = chosen.unavailable_reason()
    if reason is not None:
        raise Unavailable(reason)
    require_obeyed(chosen, capabilities)
    return SubjectSpec(model.adapter, model.settings, target.device, target.settings)
