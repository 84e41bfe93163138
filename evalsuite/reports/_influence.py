"""Which samples and classes cost a model the most, from the influence of each sample on a distance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evalsuite.records import Measurement, RunRecord

MOST = 5
"""Samples and classes that are named."""

Classes = Mapping[str, NDArray[np.int64]]


def classes_of(record: RunRecord) -> dict[tuple[str, str], Classes]:
    """Sample ids by class, or another attribute, for each model and target, as far as a measurement kept them."""
    attributes = {one.id for one in record.slices if not one.varied and not one.derived and "&" not in one.id}
    found: dict[tuple[str, str], dict[str, NDArray[np.int64]]] = {}
    for cell in record.measurements:
        if cell.slice in attributes and cell.sample_ids is not None:
            name = cell.slice.partition("=")[2]
            found.setdefault((cell.model, cell.target), {}).setdefault(name, cell.sample_ids)
    return dict(found)


def costs(cell: Measurement, classes: Classes) -> str:
    """``classes shirt +0.031, coat +0.012; samples 6, 26, 904``: what adds most to a distance; "" where unknown.

    Influences of all samples sum to 0, so a class adds more than its share where it is above 0.
    """
    if cell.influence is None or cell.sample_ids is None:
        return ""
    totals = {name: float(cell.influence[np.isin(cell.sample_ids, ids)].sum()) for name, ids in classes.items()}
    worst = sorted((name for name, total in totals.items() if total > 0), key=lambda name: -totals[name])[:MOST]
    samples = cell.sample_ids[np.argsort(-cell.influence, kind="stable")[:MOST]]
    parts = ["classes " + ", ".join(f"{name} {totals[name]:+.2g}" for name in worst)] if worst else []
    return "; ".join([*parts, f"samples {', '.join(map(str, samples))}"])
