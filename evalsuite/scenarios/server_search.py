"""Scenario ``server_search``: the highest rate of random requests at which responses stay within a bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from evalsuite.errors import Skipped
from evalsuite.models.contract import Batch
from evalsuite.profiles import ProfileName
from evalsuite.scenarios._calls import too_few_rounds
from evalsuite.scenarios._queue import Floats, gaps, highest_rate, response_times
from evalsuite.scenarios._serving import serve
from evalsuite.scenarios.contract import Pace, Series, Subject
from evalsuite.settings import Settings, parse_quantity
from evalsuite.stats.percentiles import least_values

LEAST_SERVED = 12
"""Requests, one after another, from which the rate of the trial follows."""

AGREEMENT = 0.05
"""How far the percentile of the trial may lie from that of the queue in theory."""


class ServerSearch(Settings):
    """Requests of one image arrive as a Poisson process at the highest rate that keeps a bound on their response times.

    Each turn takes the model's service times from some requests, finds by Lindley's recursion the rate at which the
    percentile reaches the bound, puts the same arrivals to the model in real time at that rate, and gives the rate that
    follows from the service times of this trial. The series ``observed`` and ``expected`` are the percentiles of the
    trial's response times, by the clock and by the recursion.

    Attributes:
        bound: on the percentile of the response times, in seconds or as ``100 ms``.
        percentile: which one has to keep it.
    """

    bound: Annotated[float, BeforeValidator(parse_quantity), Field(gt=0, allow_inf_nan=False)]
    percentile: int = Field(default=99, ge=1, le=99)

    kind: ClassVar[Literal["turns"]] = "turns"
    unit: ClassVar[str] = "1/s"
    units: ClassVar[Mapping[str, str]] = {"observed": "s", "expected": "s"}

    def pace(self, profile: ProfileName) -> Pace:
        """Each turn's trial has as many requests as the percentile needs."""
        calls = LEAST_SERVED + least_values(self.percentile)
        paces = {
            "ci": Pace(12, calls, warmups=2, lead_in=1),
            "standard": Pace(12, calls, warmups=3, lead_in=1),
            "strict": Pace(24, calls, warmups=5, lead_in=2),
        }
        return paces[profile]

    def images_per_call(self, of_target: int) -> int:
        """A request is for one image."""
        return 1

    def measure(self, subject: Subject, batches: Sequence[Batch], seed: int) -> Series:
        """The highest rate, once a turn.

        Raises:
            Skipped: a request alone takes longer than the bound.
        """
        first, rest = batches[:LEAST_SERVED], batches[LEAST_SERVED:]
        between = gaps(len(rest), seed)
        alone = np.array(serve(subject, first, np.zeros(len(first))).service)
        # More requests are put to the trial than were served before it; theirs are as long as some of those.
        drawn = np.random.default_rng([seed, len(rest)]).choice(alone, len(rest))
        rate = self._highest(between, drawn)
        served = serve(subject, rest, np.cumsum(between) / rate)
        service = np.array(served.service)
        expected = np.percentile(response_times(between / rate, service), self.percentile)
        observed = np.percentile(served.response, self.percentile)
        return {"": [self._highest(between, service)], "observed": [float(observed)], "expected": [float(expected)]}

    def flaw(self, rounds: Sequence[Series]) -> str:
        """Too few rounds, or trials that did not go as a queue does."""
        if few := too_few_rounds(rounds):
            return few
        ratio = float(np.median([one["observed"][0] / one["expected"][0] for one in rounds]))
        if abs(ratio - 1) <= AGREEMENT:
            return ""
        return (
            f"the {self.percentile}th percentile of the trials was {ratio:.3g} times that of a queue with the same "
            "service times: something held the process up between requests"
        )

    def _highest(self, between: Floats, service: Floats) -> float:
        rate = highest_rate(between, service, self.percentile, self.bound)
        if rate is None:
            alone = float(np.percentile(service, self.percentile))
            raise Skipped(
                f"no rate keeps the bound of {self.bound:g} s: a request alone takes {alone:.3g} s at the "
                f"{self.percentile}th percentile"
            )
        return rate
