"""Plan -> what adversarial slices do to their inputs: searched for on the model that is attacked, once for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import CellError, EvalsuiteError, Failed, Skipped
from evalsuite.executors.contract import Executor, Progress, Task
from evalsuite.models.contract import Batch, Differentiable, NoProbe
from evalsuite.pipeline.changes import ROOM
from evalsuite.pipeline.conditions import Conditions, conditions_of
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.generate import checked_images, missing_spans
from evalsuite.pipeline.plan import adapter_of
from evalsuite.pipeline.samples import Span
from evalsuite.records import Case, NoiseSpec, Plan
from evalsuite.slices.contract import Search
from evalsuite.store import Store
from evalsuite.suite.schema import ModelSpec, Suite
from evalsuite.targets.contract import Target

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Order:
    """What one child process searches for. Picklable.

    Attributes:
        teacher, attacked: the two models as the suite has them.
        ids: of all samples, int64 ``[N]``.
        spans: of the samples whose changes are missing.
    """

    store: Store
    device: str
    target_settings: dict[str, Any]
    seed: int
    conditions: Conditions
    search: Search
    key: str
    teacher: ModelSpec
    attacked: ModelSpec
    ids: NDArray[np.int64]
    spans: tuple[Span, ...]

    @property
    def target(self) -> Target:
        target: Target = plugins.find("targets", self.device).model_validate(self.target_settings)
        return target

    def batch(self, spec: ModelSpec, span: Span) -> Batch:
        """What a model is asked for in one span, unchanged."""
        asked = self.conditions.asked_of(adapter_of(spec).capabilities())
        return asked.batch(self.ids[span.start : span.stop], self.seed, NoiseSpec())


def search(
    suite: Suite, plan: Plan, *, executor: Executor, store: Store, listener: Listener, timeout_s: float
) -> dict[str, CellError]:
    """Search for what samples that are not in the store need; why that failed, by a case's ``search_key``.

    Raises:
        StoreError: the store cannot take what was found.
    """
    orders = _orders(suite, plan.cases, store)
    if not orders:
        return {}
    listener(Event("stage", "search", total=len(orders)))
    store.require_writable()
    failed: dict[str, CellError] = {}
    tasks = [Task(name, search_missing, (order,), timeout_s) for name, order in orders.items()]
    with closing(executor.map(tasks)) as news_of_tasks:
        for news in news_of_tasks:
            if isinstance(news, Progress):
                listener(Event("progress", "search", news.key, news.done, news.total))
            elif news.error is not None:
                failed[orders[news.key].key] = _blamed(orders[news.key], news.error)
                listener(Event("missing", "search", news.key, message=str(failed[orders[news.key].key])))
    return failed


def _orders(suite: Suite, cases: Sequence[Case], store: Store) -> dict[str, Order]:
    """Searches of which something is missing, by target and slice."""
    wanted: dict[str, tuple[Case, set[Span]]] = {}
    for case in cases:
        if case.search_key and case.parent is None:
            _, spans = wanted.setdefault(case.search_key, (case, set()))
            spans |= set(missing_spans(suite, case, store))
    orders = {}
    for key, (case, spans) in wanted.items():
        missing = [span for span in spans if store.digest(ROOM, span.key(key)) is None]
        if missing:
            orders[f"{case.target}/{case.slice}"] = _order(suite, case, missing, store)
    return orders


def _order(suite: Suite, case: Case, missing: Sequence[Span], store: Store) -> Order:
    target = suite.targets[case.target]
    assert suite.teacher is not None, "the plan has no such case without a teacher"
    return Order(
        store=store,
        device=target.device,
        target_settings=target.settings,
        seed=suite.sampling.seed,
        conditions=conditions_of(suite),
        search=case.change,
        key=case.search_key,
        teacher=suite.models[suite.teacher],
        attacked=suite.models[case.change.against],
        ids=case.sample_ids,
        spans=tuple(sorted(missing, key=lambda span: span.start)),
    )


def _blamed(order: Order, error: Exception) -> CellError:
    """The failure of a search, as a sentence.

    Raises:
        EvalsuiteError: the failure is not one of a cell: a full disk.
    """
    if isinstance(error, EvalsuiteError) and not isinstance(error, CellError):
        raise error
    found = order.target.explained(error if isinstance(error, CellError) else Failed(str(error)))
    return type(found)(f"the search on {order.search.against} ended without a result: {found}")


# --- in the child process ------------------------------------------------------------------------------------------


def search_missing(order: Order, report: Report) -> None:
    """Search and store every missing span; tells progress in samples: half of the way is the teacher's.

    Raises:
        CellError: a model could not be loaded, or cannot be searched on.
        StoreError: what was found could not be stored.
    """
    target = order.target
    target.start()
    total = 2 * sum(span.size for span in order.spans)
    done = 0
    wanted = []
    with adapter_of(order.teacher).open(target) as model:
        for span in order.spans:
            report(done, total)
            wanted.append(checked_images(model.generate(order.batch(order.teacher, span), NoProbe()), span.size, None))
            done += span.size
    with adapter_of(order.attacked).open(target) as model:
        if not isinstance(model, Differentiable):
            raise Skipped(
                f"{order.search.against} is not differentiable, so it can be given changes but not search them"
            )
        for span, images in zip(order.spans, wanted, strict=True):
            report(done, total)
            found = order.search.search(model, order.batch(order.attacked, span), images)
            order.store.write(ROOM, span.key(order.key), found)
            done += span.size
    report(done, total)
