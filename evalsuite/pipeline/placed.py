"""What a target made of each model's networks, such as layers in eight bits: noted where samples are generated."""

from __future__ import annotations

from collections.abc import Iterable

from evalsuite.records import Case, Plan, Weights
from evalsuite.store import Store
from evalsuite.targets.contract import Target

ROOM = "placed"


def keep_placed(cases: Iterable[Case], target: Target, store: Store) -> None:
    """Keep with the samples of some cases what the model that makes them is, now that it is loaded.

    Raises:
        StoreError: the store cannot be written.
    """
    weights = target.weights()
    if weights:
        for case in cases:
            store.write_document(ROOM, _key(case), weights)


def placed(plan: Plan, store: Store) -> list[Weights]:
    """Of every model on every target, where its samples came with it; those of a folder of images do not."""
    found = []
    for case in plan.cases:
        kept = store.read_document(ROOM, _key(case)) if case.slice == "all" else None
        if kept is not None:
            found.append(Weights(model=case.model, target=case.target, **kept[0]))
    return found


def _key(case: Case) -> str:
    return f"{case.samples_key}/all"
