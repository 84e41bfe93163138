"""Samples that are not what their model made of them, such as those that a safety checker blanked: kept and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import Failed
from evalsuite.models.contract import NoProbe
from evalsuite.pipeline.samples import SampleSet
from evalsuite.records import Case, Finding, Plan

ROOM = "flags"
NAMED = 5
"""Samples that a finding names; the others are counted."""


class FlagKeeper(NoProbe):
    """A probe that keeps the flags of a batch of ``size`` samples, bool ``[size]`` by name."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.flags: dict[str, NDArray[np.bool_]] = {}

    def flag(self, name: str, samples: NDArray[np.bool_]) -> None:
        """Keep a flag; one that no sample bears is none.

        Raises:
            Failed: it is not bool ``[size]``.
        """
        flagged = np.asarray(samples)
        if flagged.shape != (self.size,) or flagged.dtype != np.bool_:
            raise Failed(f"flag {name!r}: found {flagged.dtype} {list(flagged.shape)}, expected bool [{self.size}]")
        if flagged.any():
            self.flags[name] = flagged | self.flags.get(name, np.zeros(self.size, np.bool_))


def findings_of(plan: Plan, sets: Mapping[str, SampleSet]) -> list[Finding]:
    """One finding for each flag of each generating case, in the order of the plan.

    Args:
        sets: the samples by the key of their case.
    """
    return [finding for case in plan.cases if case.key in sets for finding in _of_case(case, sets[case.key])]


def _of_case(case: Case, images: SampleSet) -> Iterator[Finding]:
    flagged: dict[str, list[int]] = {}
    for chunk in images.chunks:
        for name, samples in (images.store.read(ROOM, chunk.key) or {}).items():
            flagged.setdefault(name, []).extend((np.flatnonzero(samples) + chunk.span.start).tolist())
    for name, found in sorted(flagged.items()):
        first = ", ".join(map(str, found[:NAMED])) + (", ..." if len(found) > NAMED else "")
        evidence = f"{len(found)} of {len(case.sample_ids)} samples ({first}); they are part of every value"
        yield Finding(audit=name, severity="warning", evidence=evidence, case_key=case.key)
