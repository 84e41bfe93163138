"""Prompts -> embeddings: once for all models, by every extractor that a metric of texts names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from evalsuite import plugins
from evalsuite.errors import CellError, EvalsuiteError, Failed, Skipped
from evalsuite.executors.contract import Executor, Progress, Task
from evalsuite.features.contract import TextEmbedder
from evalsuite.files import content_key
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.samples import Span, spans
from evalsuite.prompts.contract import PromptSet
from evalsuite.records import TextFeatures
from evalsuite.store import Store

ROOM = "features"
CHUNK = 512

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class TextOrder:
    """What one child process embeds: some spans of the prompts. Picklable."""

    store: Store
    extractor: str
    prompts: PromptSet
    missing: tuple[Span, ...]

    def key(self, span: Span) -> str:
        """Where the embeddings of a span of prompts belong."""
        extractor = plugins.make("features", self.extractor)
        texts = content_key(self.prompts.texts()[span.start : span.stop])
        return f"{extractor.fingerprint()}/texts/{content_key(extractor.model_dump(mode='json'))}/{texts}"


def embed(
    names: Sequence[str],
    prompts: PromptSet,
    *,
    executor: Executor,
    store: Store,
    listener: Listener,
    timeout_s: float,
) -> dict[str, TextFeatures | CellError]:
    """Embeddings of all prompts by extractor, or why there are none.

    Raises:
        StoreError: the store cannot take new embeddings.
    """
    found: dict[str, TextFeatures | CellError] = {}
    orders: dict[str, TextOrder] = {}
    for name in names:
        try:
            orders[name] = _order(name, prompts, store)
        except CellError as error:
            found[name] = error
    tasks = [Task(name, embed_missing, (order,), timeout_s) for name, order in orders.items() if order.missing]
    if tasks:
        store.require_writable()
    with closing(executor.map(tasks)) as news_of_tasks:
        for news in news_of_tasks:
            if isinstance(news, Progress):
                listener(Event("progress", "extract", f"prompts, {news.key}", news.done, news.total))
            elif isinstance(news.error, CellError):
                found[news.key] = news.error
            elif news.error is not None:
                raise news.error
    return found | {name: _collected(order) for name, order in orders.items() if name not in found}


def _order(name: str, prompts: PromptSet, store: Store) -> TextOrder:
    """What is still to be embedded by an extractor.

    Raises:
        Skipped: it embeds no texts.
        Unavailable: its weights or a package are missing.
    """
    if not isinstance(plugins.make("features", name), TextEmbedder):
        raise Skipped(f"the extractor {name} embeds no texts; choose one that does, such as clip-vit-b-32")
    order = TextOrder(store, name, prompts, ())
    every = spans(len(prompts.texts()), CHUNK)
    return TextOrder(store, name, prompts, tuple(s for s in every if store.digest(ROOM, order.key(s)) is None))


def _collected(order: TextOrder) -> TextFeatures | CellError:
    texts = order.prompts.texts()
    chunks = [order.store.read(ROOM, order.key(span)) for span in spans(len(texts), CHUNK)]
    whole = [chunk for chunk in chunks if chunk is not None]
    if len(whole) < len(chunks):
        return Failed("embeddings were lost from the cache while the run used them; run again")
    features, cut = (np.concatenate([chunk[name] for chunk in whole]) for name in ("features", "cut"))
    return TextFeatures(features, cut, order.prompts.fingerprint())


# --- in the child process ------------------------------------------------------------------------------------------


def embed_missing(order: TextOrder, report: Report) -> None:
    """Embed and store every missing span of prompts.

    Raises:
        CellError: the extractor could not be loaded, or gave no embeddings.
        StoreError: embeddings could not be stored.
    """
    extractor: TextEmbedder = plugins.make("features", order.extractor)
    texts = order.prompts.texts()
    for done, span in enumerate(order.missing):
        report(done, len(order.missing))
        try:
            embedded = extractor.embed_texts(texts[span.start : span.stop])
        except EvalsuiteError:
            raise
        except Exception as error:
            raise Failed(f"embeddings of the prompts: {type(error).__name__}: {error}") from error
        order.store.write(ROOM, order.key(span), {"features": embedded.features, "cut": embedded.cut})
    report(len(order.missing), len(order.missing))
