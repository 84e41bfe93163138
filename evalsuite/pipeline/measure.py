"""Features, pairs of images and timings -> measurements, each with its interval and its protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import CellError, Skipped
from evalsuite.files import content_key
from evalsuite.metrics.contract import Estimate
from evalsuite.pipeline.cells import PlannedCell, cells_of
from evalsuite.pipeline.environment import version_of
from evalsuite.pipeline.events import Event, Listener
from evalsuite.pipeline.extract import Features
from evalsuite.pipeline.generate import Samples
from evalsuite.pipeline.inputs import Found, Reading, reading_of
from evalsuite.pipeline.slicing import Parts
from evalsuite.pipeline.values import Valued, measurement, values_of
from evalsuite.records import Family, Interval, Measurement, Missing, Plan, Timings
from evalsuite.store import Store
from evalsuite.suite.schema import Suite

ROOM = "measurements"
_ESTIMATE_ARRAYS = ("per_sample", "replicates", "group_sizes", "influence")

Cells = tuple[list[Measurement], list[Missing]]


def measure(
    suite: Suite,
    plan: Plan,
    samples: Samples,
    features: Features,
    timings: Sequence[Timings],
    untimed: Sequence[Missing],
    *,
    store: Store,
    listener: Listener,
    reference_parts: Parts | None = None,
) -> Cells:
    """Every cell of the plan: a measurement for each of the metric's values, or why there is none.

    Args:
        reference_parts: positions in the reference by derived slice.

    Raises:
        StoreError: the store cannot take new values.
    """
    cells = list(cells_of(suite, plan.cases))
    listener(Event("stage", "measure", total=len(cells)))
    made = Found(suite, plan, samples, features, timings, reference_parts or {})
    gone = {gap.identity: gap for gap in untimed}
    measurements: list[Measurement] = []
    missing: list[Missing] = []
    for done, cell in enumerate(cells, start=1):
        known = [gone[one.identity] for one in cell.missing(Skipped()) if one.identity in gone]
        try:
            found, gaps = ([], known) if known else _measured(cell, reading_of(made, cell), store)
        except CellError as error:
            found, gaps = [], cell.missing(error)
        measurements += found
        missing += gaps
        listener(Event("progress", "measure", "", done, len(cells)))
    return measurements, missing


def _measured(cell: PlannedCell, reading: Reading, store: Store) -> Cells:
    """The values of one cell.

    Raises:
        CellError: it has none.
    """
    measurements, missing = [], []
    for valued in _values(cell, reading, store):
        estimate = valued.estimate
        if estimate is None:
            missing.append(cell.missing_value(valued.value, Skipped(valued.skipped)))
            continue
        fields, ids = cell.fields(valued.value), reading.sample_ids(estimate)
        protocol = reading.protocol()
        measurements.append(
            measurement(fields, cell.metric, estimate, valued.interval, protocol=protocol, sample_ids=ids)
        )
    return measurements, missing


def _values(cell: PlannedCell, reading: Reading, store: Store) -> list[Valued]:
    """From the cache, or computed now."""
    content = reading.content()
    key = None if content is None else _key(cell, [reading.found.conditions.key(), cell.case.noise.shared, content])
    kept = None if key is None else store.read_document(ROOM, key)
    if kept is not None:
        return _unpack(*kept)
    values = values_of(cell.spec.metric, cell.metric, reading.inputs(), reading.clusters)
    if key is not None:
        store.write_document(ROOM, key, *_pack(values))
    return values


def _key(cell: PlannedCell, content: Any) -> str:
    versions = {package: version_of(package) for package in ("numpy", "scipy", "scikit-image", "torchmetrics")}
    sources = plugins.sources_hash("metrics", "stats")
    return content_key([sources, versions, cell.spec.metric, cell.spec.settings, content])


# --- how values are kept in the store ------------------------------------------------------------------------------


def _pack(values: Sequence[Valued]) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    documents: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for position, valued in enumerate(values):
        document: dict[str, Any] = {"value": valued.value, "skipped": valued.skipped}
        estimate = valued.estimate
        if estimate is not None:
            document["estimate"] = {
                "value": float(estimate.value),
                "family": str(estimate.family),
                "n": int(estimate.n),
                "protocol": dict(estimate.protocol),
                "warning": estimate.warning,
                "invalid": estimate.invalid,
            }
            document["interval"] = None if valued.interval is None else valued.interval.model_dump()
            found = {name: getattr(estimate, name) for name in _ESTIMATE_ARRAYS}
            arrays |= {f"{position}/{name}": array for name, array in found.items() if array is not None}
        documents.append(document)
    return documents, arrays


def _unpack(documents: Sequence[dict[str, Any]], arrays: Mapping[str, NDArray[Any]]) -> list[Valued]:
    values = []
    for position, document in enumerate(documents):
        fields = document.get("estimate")
        if fields is None:
            values.append(Valued(document["value"], None, None, document["skipped"]))
            continue
        kept = {name: arrays.get(f"{position}/{name}") for name in _ESTIMATE_ARRAYS}
        estimate = Estimate(**{**fields, "family": Family(fields["family"]), **kept})
        interval = None if document["interval"] is None else Interval(**document["interval"])
        values.append(Valued(document["value"], estimate, interval))
    return values
