"""Seed, label and group of a sample follow from its id alone, so that models and targets are paired by construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

NUM_GROUPS = 20
"""Groups of the delete-group jackknife."""


def labels_of(sample_ids: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """Label ``i mod C`` of every sample id, int64 ``[N]`` in [0, C)."""
    return sample_ids % num_classes


def groups_of(sample_ids: NDArray[np.int64], num_classes: int) -> NDArray[np.int64]:
    """Group ``(i // C) mod 20`` of every sample id, int64 ``[N]`` in [0, 20): balanced, and balanced by class."""
    return (sample_ids // num_classes) % NUM_GROUPS


def seeds_of(sample_ids: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Seed of every sample, int64 ``[N]`` in [0, 2**63), from the suite's seed and the sample's id.

    SplitMix64 (Steele, Lea and Flood 2014) of ``id`` in the stream of ``seed``: samples of nearby ids and suites of
    nearby seeds share nothing. The seed is multiplied before it is mixed, since sample 1 of suite 0 would else be
    sample 0 of suite 1.
    """
    with np.errstate(over="ignore"):
        stream = _splitmix64(np.array([seed], np.uint64) * np.uint64(0xD1342543DE82EF95))
        mixed = _splitmix64(_splitmix64(sample_ids.astype(np.uint64)) ^ stream)
    return (mixed >> np.uint64(1)).astype(np.int64)


def columns_of(
    attributes: Mapping[str, Sequence[Sequence[str]]],
) -> dict[str, dict[str, NDArray[np.int64]]]:
    """Positions by attribute and value, int64 and increasing, of things that have any number of values each."""
    columns: dict[str, dict[str, NDArray[np.int64]]] = {}
    for name, values in attributes.items():
        found: dict[str, list[int]] = {}
        for position, of_one in enumerate(values):
            for value in dict.fromkeys(of_one):
                found.setdefault(value, []).append(position)
        columns[name] = {value: np.array(positions, np.int64) for value, positions in found.items()}
    return columns


def _splitmix64(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
