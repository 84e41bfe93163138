"""Scenario ``server``: single requests at random times, and how long each waits for its images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import too_few_rounds
from evalsuite.scenarios._queue import gaps
from evalsuite.scenarios._serving import serve
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings

LEAST_SECONDS = {"ci": 0.25, "standard": 1.0, "strict": 5.0}
"""Duration of a turn by profile."""


class Server(Settings):
    """Requests of one image arrive as a Poisson process and are answered one at a time, in their order; MLPerf's server
    scenario (Reddi et al. 2020, arXiv:1911.02549).

    The values are response times, from arrival to completion; the series ``service`` is the part of each that the model
    took. Every turn begins with an empty queue.

    Attributes:
        rate: requests a second on average.
    """

    rate: float = Field(gt=0, allow_inf_nan=False)

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "s"

    def pace(self, profile: ProfileName) -> Pace:
        """468 requests under ``standard``, or more where they come fast: enough for the 99th percentile."""
        lasting = math.ceil(self.rate * LEAST_SECONDS[profile])
        paces = {
            "ci": Pace(12, max(8, lasting), warmups=2, lead_in=1),
            "standard": Pace(12, max(39, lasting), warmups=3, lead_in=1),
            "strict": Pace(24, max(60, lasting), warmups=5, lead_in=2),
        }
        return paces[profile]

    def images_per_call(self, of_target: int) -> int:
        """A request is for one image."""
        return 1

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """Response times of one turn, in the order of arrival."""
        served = serve(subject, batches, np.cumsum(gaps(len(batches), seed)) / self.rate)
        return {"": served.response, "service": served.service}

    def flaw(self, rounds: Sequence[Series]) -> str:
        """Too few rounds, or a queue that grows for ever, whose response times say how long one looked."""
        served = 1 / float(np.mean([seconds for noted in rounds for seconds in noted["service"]]))
        grows = f"{self.rate:g} requests arrive a second and the model serves {served:.3g}: the queue only grows"
        return too_few_rounds(rounds) or (grows if served <= self.rate else "")
