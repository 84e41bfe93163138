"""Plan -> samples: every model on every target generates what is missing, in a child process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import CellError, EvalsuiteError, Failed
from evalsuite.executors.contract import Executor, Progress, Result, Task
from evalsuite.files import canonical_json, content_key
from evalsuite.models.contract import Capabilities, Importing, LoadedModel, ModelAdapter, Probe
from evalsuite.pipeline.changes import changed
from evalsuite.pipeline.conditions import Conditions, conditions_of
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.flags import ROOM as FLAGS
from evalsuite.pipeline.flags import FlagKeeper
from evalsuite.pipeline.placed import keep_placed
from evalsuite.pipeline.plan import adapter_of, target_of
from evalsuite.pipeline.samples import ROOM, Chunk, SampleSet, Span, spans
from evalsuite.records import Case, Plan
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from evalsuite.targets.contract import Target

Report = Callable[[int, int], None]
Part = tuple[Case, tuple[Span, ...]]
"""A case and its chunks that are missing."""


@dataclass(frozen=True)
class Order:
    """What one child process generates: the missing chunks of one model on one target as it is set. Picklable.

    Attributes:
        device, target_settings: the target, as the slice of its cases has it.
        seed: of the suite.
        conditions: what its samples are asked for.
        parts: cases with the spans that are missing; cases of equal settings stand together and share one load.
    """

    store: Store
    device: str
    target_settings: dict[str, Any]
    seed: int
    conditions: Conditions
    parts: tuple[Part, ...]

    @property
    def target(self) -> Target:
        target: Target = plugins.find("targets", self.device).model_validate(self.target_settings)
        return target

    @property
    def adapter(self) -> ModelAdapter:
        """The first of its models."""
        return adapter_of(self.parts[0][0])

    @property
    def total(self) -> int:
        return sum(span.size for _, missing in self.parts for span in missing)


@dataclass
class Samples:
    """What generation ended with: samples or the reason why there are none, by the key of the generating case."""

    sets: dict[str, SampleSet] = field(default_factory=dict)
    errors: dict[str, CellError] = field(default_factory=dict)

    def of(self, case: Case) -> SampleSet:
        """The samples that a case, or the case it is a part of, generated.

        Raises:
            CellError: there are none.
        """
        key = case.parent or case.key
        if key in self.errors:
            raise self.errors[key]
        return self.sets[key]


def generate(
    suite: Suite,
    plan: Plan,
    *,
    executor: Executor,
    store: Store,
    listener: Listener,
    timeout_s: float,
    unfound: Mapping[str, CellError] | None = None,
) -> Samples:
    """Samples of every case, from the store where they are there and whole; cases of equal samples generate once.

    Args:
        unfound: why a search ended without a result, by ``search_key``; its cases are not generated.

    Raises:
        StoreError: the store cannot take new samples.
    """
    unfound = unfound or {}
    lost = {case.key: unfound[case.search_key] for case in plan.cases if case.search_key in unfound}
    generating = [case for case in plan.cases if case.parent is None and case.key not in lost]
    listener(Event("stage", "generate", total=len(generating)))
    first = {case.samples_key: case for case in reversed(generating)}
    orders = _orders(suite, [case for case in generating if first[case.samples_key] is case], store, listener)
    if orders:
        store.require_writable()
    errors: dict[str, CellError] = {}
    while orders:
        orders = _work_off(orders, executor, listener, timeout_s, errors)
    errors = {case.key: errors[key] for case in generating if (key := first[case.samples_key].key) in errors}
    samples = Samples(errors={**lost, **errors})
    for case in generating:
        if case.key not in errors:
            _collect(samples, case, suite, store)
    return samples


def case_spans(suite: Suite, case: Case) -> list[Span]:
    """The chunks of a generating case: one call of the model each, of the target's batch size."""
    return spans(len(case.sample_ids), target_of(suite, case.target, case.target_changes).batch_size)


def missing_spans(suite: Suite, case: Case, store: Store) -> tuple[Span, ...]:
    """Those chunks that the store lacks or holds damaged."""
    return _absent(store, case, case_spans(suite, case))


def _absent(store: Store, case: Case, wanted: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(span for span in wanted if store.digest(ROOM, span.key(case.samples_key)) is None)


def _orders(suite: Suite, cases: Sequence[Case], store: Store, listener: Listener) -> dict[str, Order]:
    """The work that is not in the store, by ``model@target``; where slices change the target, by their first case."""
    parts: dict[str, list[Part]] = {}
    for case in cases:
        missing = missing_spans(suite, case, store)
        if missing:
            together = [case.model, case.target, dict(case.target_changes)]
            parts.setdefault(content_key(together), []).append((case, missing))
        else:
            listener(Event("cached", "generate", case.key, len(case.sample_ids), len(case.sample_ids)))
    return dict(_order(suite, todo, store) for todo in parts.values())


def _order(suite: Suite, parts: Sequence[Part], store: Store) -> tuple[str, Order]:
    """The work of one child process, under its name."""
    case, target = parts[0][0], suite.targets[parts[0][0].target]
    order = Order(
        store,
        target.device,
        {**target.settings, **case.target_changes},
        suite.sampling.seed,
        conditions_of(suite),
        tuple(sorted(parts, key=lambda part: canonical_json(part[0].settings))),
    )
    return (case.key if case.target_changes else f"{case.model}@{case.target}"), order


def _work_off(
    orders: dict[str, Order], executor: Executor, listener: Listener, timeout_s: float, errors: dict[str, CellError]
) -> dict[str, Order]:
    """Run every order once; what must be tried again: the cases after one that ended its process."""
    again: dict[str, Order] = {}
    loaded: set[str] = set()
    tasks = [
        Task(key, generate_missing, (order,), timeout_s, partial(import_libraries, order.target, order.adapter))
        for key, order in orders.items()
    ]
    with closing(executor.map(tasks)) as news_of_tasks:
        for news in news_of_tasks:
            if isinstance(news, Progress):
                loaded.add(news.key)
                listener(Event("progress", "generate", news.key, news.done, news.total))
            elif news.error is not None:
                rest = _after_failure(orders[news.key], news, news.key in loaded, listener, errors)
                if rest.parts:
                    again[news.key] = rest
    return again


def _after_failure(
    order: Order, result: Result, loaded: bool, listener: Listener, errors: dict[str, CellError]
) -> Order:
    """Blame the case at work; the other unfinished ones too if the model did not even load, else they go on.

    Raises:
        EvalsuiteError: the failure is not one of a cell: a full disk.
    """
    error = result.error
    if isinstance(error, EvalsuiteError) and not isinstance(error, CellError):
        raise error
    cell_error = order.target.explained(error if isinstance(error, CellError) else Failed(str(error)))
    unfinished = list(_unfinished(order))
    blamed, rest = (unfinished[:1], unfinished[1:]) if loaded else (unfinished, [])
    for case, _ in blamed:
        errors[case.key] = cell_error
        listener(Event("missing", "generate", case.key, message=str(cell_error)))
    return replace(order, parts=tuple(rest))


def _unfinished(order: Order) -> Iterator[Part]:
    for case, wanted in order.parts:
        missing = _absent(order.store, case, wanted)
        if missing:
            yield case, missing


def _collect(samples: Samples, case: Case, suite: Suite, store: Store) -> None:
    """Take stock of a case whose generation did not fail."""
    chunks = []
    for span in case_spans(suite, case):
        key = span.key(case.samples_key)
        digest = store.digest(ROOM, key)
        if digest is None:
            samples.errors[case.key] = Failed(f"samples {span.start}-{span.stop} were lost from the cache; run again")
            return
        chunks.append(Chunk(key, span, digest))
    samples.sets[case.key] = SampleSet(store, case.samples_key, tuple(chunks))


# --- in the child process ------------------------------------------------------------------------------------------


def import_libraries(target: Target, adapter: ModelAdapter) -> None:
    """What can be done before the models of an order may be loaded."""
    target.import_libraries()
    if isinstance(adapter, Importing):
        adapter.import_libraries()


def generate_missing(order: Order, report: Report) -> None:
    """Generate and store every missing chunk; tells progress in samples, first as soon as a model has loaded.

    Raises:
        CellError: the model could not be loaded or returned something that is no batch of images.
        StoreError: a chunk could not be stored.
    """
    order.target.start()
    done = 0
    for _, group in groupby(order.parts, key=lambda part: part[0].settings):
        parts = list(group)
        adapter = adapter_of(parts[0][0])
        capabilities = adapter.capabilities()
        target = order.target  # another for each model, so that none counts the networks of the one before
        with adapter.open(target) as model:
            keep_placed((case for case, _ in parts), target, order.store)
            report(done, order.total)
            for key, images, flags in _batches(model, capabilities, parts, order, target.batch_size):
                if flags:
                    order.store.write(FLAGS, key, flags)  # first, so that no image lies there without its flags
                order.store.write(ROOM, key, {"images": images})
                done += len(images)
                report(done, order.total)


def _batches(
    model: LoadedModel, capabilities: Capabilities, parts: Sequence[Part], order: Order, batch_size: int
) -> Iterator[tuple[str, NDArray[np.uint8], Mapping[str, NDArray[np.bool_]]]]:
    """Checked images of every missing chunk, with the chunk's key and with what was flagged."""
    for case, missing in parts:
        shape = capabilities.image_shape or _first_shape(order.store, case, batch_size)
        for span in missing:
            probe = FlagKeeper(span.size)
            images = checked_images(_generate(model, capabilities, case, span, order, probe), span.size, shape)
            shape = images.shape[1:]
            yield span.key(case.samples_key), images, probe.flags


def _generate(
    model: LoadedModel, capabilities: Capabilities, case: Case, span: Span, order: Order, probe: Probe
) -> Any:
    """What the model returns for one span, not yet checked."""
    ids = case.sample_ids[span.start : span.stop]
    batch = order.conditions.asked_of(capabilities).batch(ids, order.seed, case.noise)
    try:
        return model.generate(changed(batch, case, [span], order.store), probe)
    except EvalsuiteError:
        raise
    except Exception as error:
        raise Failed(f"samples {span.start}-{span.stop}: {type(error).__name__}: {error}") from error


def _first_shape(store: Store, case: Case, batch_size: int) -> tuple[int, ...] | None:
    """``(C, H, W)`` of a case's first images, if an earlier run has stored them: all of a case have one shape."""
    arrays = store.read(ROOM, spans(len(case.sample_ids), batch_size)[0].key(case.samples_key))
    return None if arrays is None else arrays["images"].shape[1:]


def checked_images(images: Any, count: int, image_shape: tuple[int, ...] | None) -> NDArray[np.uint8]:
    """What a model returned, if it is uint8 ``[count, C, H, W]`` with one or three channels.

    Raises:
        Failed: it is something else; says what was found and what was expected.
    """
    expected = "expected uint8 [{}, {}]".format(count, ", ".join(map(str, image_shape or ("1 or 3", "H", "W"))))
    if not isinstance(images, np.ndarray):
        raise Failed(f"the model returned a {type(images).__name__}, {expected}")
    if images.dtype != np.uint8:
        finite = not np.issubdtype(images.dtype, np.floating) or bool(np.isfinite(images).all())
        flaw = "" if finite else " with values that are not finite (NaN or infinity)"
        raise Failed(f"the model returned {images.dtype} {list(images.shape)}{flaw}, {expected}")
    shape_fits = images.ndim == 4 and len(images) == count and images.shape[1] in (1, 3) and images.size > 0
    if not shape_fits or (image_shape is not None and images.shape[1:] != tuple(image_shape)):
        raise Failed(f"the model returned uint8 {list(images.shape)}, {expected}")
    return images
