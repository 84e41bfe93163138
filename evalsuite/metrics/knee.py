"""Metric ``knee``: the batch size from which larger batches hardly win throughput."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, Field

from evalsuite.metrics._features import Floats
from evalsuite.metrics._timings import named, protocol_of, rounds_of, timings_of
from evalsuite.metrics.contract import Estimate, Inputs, TimingInputs
from evalsuite.records import Family
from evalsuite.settings import Fraction, Settings


def _increasing(sizes: tuple[int, ...]) -> tuple[int, ...]:
    if list(sizes) != sorted(set(sizes)):
        raise ValueError("expected batch sizes in increasing order, each once")
    return sizes


class Knee(Settings):
    """The smallest batch size of a sweep whose throughput is near the highest of the sweep.

    Attributes:
        batch_sizes: the sweep, increasing: one scenario ``offline:batch_size=N`` each.
        tolerance: how far below the highest throughput counts as near.
    """

    unit: ClassVar[str] = "images"
    higher_is_better: ClassVar[bool | None] = None
    inputs: ClassVar[Inputs] = Inputs.TIMINGS
    paper: ClassVar[str] = "after Satopaa et al. 2011 (doi:10.1109/ICDCSW.2011.20), with a tolerance for curvature"

    batch_sizes: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=2), AfterValidator(_increasing)
    ] = (1, 2, 4, 8, 16, 32)
    tolerance: Annotated[Fraction, Field(gt=0, lt=1)] = 0.1

    @property
    def scenarios(self) -> tuple[str, ...]:
        return tuple(named("offline", batch_size=size) for size in self.batch_sizes)

    def compute(self, inputs: TimingInputs) -> Mapping[str, Estimate | str]:
        """One value, from the throughput over all rounds; the replicates are the knees of each round.

        Raises:
            Skipped: a batch size was not measured.
        """
        sweep = [timings_of(inputs, scenario) for scenario in self.scenarios]
        seconds = [rounds_of(timings) for timings in sweep]
        rounds = min(map(len, seconds))
        by_round = [[np.mean(of_size[i]) for of_size in seconds] for i in range(rounds)]
        overall = [np.mean(np.concatenate(of_size)) for of_size in seconds]
        value = self._knee(np.array(overall))
        protocol = {**protocol_of(sweep[0], "smallest batch size near the highest throughput"), "scenario": "offline"}
        del protocol["batch_size"]
        grows = f"throughput still grows at the largest batch size of the sweep, {value}"
        return {
            "": Estimate(
                value=float(value),
                family=Family.LATENCY,
                n=sum(len(calls) for of_size in seconds for calls in of_size),
                replicates=np.array([self._knee(np.array(means)) for means in by_round], np.float64),
                protocol={**protocol, "batch_sizes": ",".join(map(str, self.batch_sizes)), "tolerance": self.tolerance},
                warning=grows if value == self.batch_sizes[-1] else "",
                invalid=next((timings.reason for timings in sweep if timings.reason), ""),
            )
        }

    def _knee(self, seconds: Floats) -> int:
        """Of the sweep, given the seconds of a batch of each size."""
        throughput = np.array(self.batch_sizes) / seconds
        near = throughput >= (1 - self.tolerance) * throughput.max()
        return self.batch_sizes[int(np.argmax(near))]
