"""What a slice does to a batch, be it known beforehand or searched for and kept in the store."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch
from evalsuite.pipeline.samples import Span
from evalsuite.records import Case
from evalsuite.slices.contract import Found
from evalsuite.store import Store

ROOM = "searches"
"""Where what was searched for is kept, by a case's ``search_key`` and span."""


def changed(batch: Batch, case: Case, spans: Iterable[Span], store: Store) -> Batch:
    """The batch, of increasing sample ids, as the case's slice has it.

    Args:
        spans: of the case, those at least that hold samples of the batch.

    Raises:
        Failed: what was found for it is not in the store any more.
    """
    if case.search_key:
        result: Batch = case.change.applied(batch, _found(batch, case, spans, store))
        return result
    return batch if case.change is None else case.change.apply(batch)


def _found(batch: Batch, case: Case, spans: Iterable[Span], store: Store) -> Found:
    """What was found for each sample of the batch."""
    parts = []
    for span in spans:
        low, high = np.searchsorted(batch.sample_ids, [span.start, span.stop])
        if low < high:
            part = store.read(ROOM, span.key(case.search_key))
            if part is None:
                raise Failed(f"changes of samples {span.start}-{span.stop} were lost from the cache; run again")
            rows = batch.sample_ids[low:high] - span.start
            parts.append({name: array[rows] for name, array in part.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
