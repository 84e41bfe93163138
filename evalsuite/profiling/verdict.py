"""What turns amount to: raw values by series, VALID or INVALID with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from evalsuite.profiles import ProfileName
from evalsuite.profiling.bounds import BOUNDS, Bounds
from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.subject import Turn
from evalsuite.profiling.turns import PROCESSES, shares
from evalsuite.records import Timings
from evalsuite.scenarios.contract import CLOCK, WAITING, Scenario

Schedule = Literal["turns", "blocks", "processes"]
LEAST_FOR_TREND = 6
"""Rounds of which a third is more than one."""


def timings_of(
    entrant: Entrant, text: str, scenario: Scenario, profile: ProfileName, turns: Sequence[Turn], schedule: Schedule
) -> Iterator[Timings]:
    """One record for each series of a scenario, its own first; and of turns what tells the machine's unrest."""
    pace = scenario.pace(profile)
    flaw = scenario.flaw([turn.series for turn in turns])
    again = pace.rounds if schedule == "blocks" else len(shares(pace.rounds, PROCESSES[profile]))
    series = {
        name: [turn.series.get(name, []) for turn in turns]
        for name in sorted({name for turn in turns for name in turn.series})
    }
    units = {name: getattr(scenario, "units", {}).get(name, scenario.unit) for name in series}
    if schedule != "processes":
        flaw = "; ".join(filter(None, [flaw, *unrest(turns, BOUNDS[profile])]))
        series[CLOCK], units[CLOCK] = [[turn.clock_s] for turn in turns], "s"
        waiting = [turn.waiting for turn in turns if turn.waiting is not None]
        if waiting:
            series[WAITING], units[WAITING] = [[share] for share in waiting], ""
    for name, values in series.items():
        yield Timings(
            case_key=entrant.case_key,
            scenario=text,
            series=name,
            schedule=schedule,
            batch_size=scenario.images_per_call(entrant.batch_size),
            unit=units[name],
            warmups=again * pace.warmups + pace.rounds * pace.lead_in,
            values=values,
            environment=entrant.environment,
            valid=not flaw,
            reason=flaw,
        )


def unrest(turns: Sequence[Turn], bounds: Bounds) -> Iterator[str]:
    """What a profile does not forgive, one sentence each."""
    if len(turns) < LEAST_FOR_TREND:
        return
    clocks = np.array([turn.clock_s for turn in turns])
    third = len(turns) // 3
    change = float(np.median(clocks[-third:]) / np.median(clocks[:third])) - 1
    if max(change, 1 / (1 + change) - 1) > bounds.drift:
        word = "slower" if change > 0 else "faster"
        yield (
            f"the clock speed drifted: a fixed computation was {abs(change):.0%} {word} in the last third of the "
            f"rounds than in the first, and at most {bounds.drift:.0%} is valid"
        )
    medians = np.array([turn.call_s for turn in turns])
    low, median, high = np.quantile(medians, [0.25, 0.5, 0.75])
    spread = float((high - low) / 1.349 / median) if median > 0 else 0.0
    if spread > bounds.noise:
        yield f"noise: the rounds' median calls spread by {spread:.0%}, and at most {bounds.noise:.0%} is valid"
    shares = [turn.waiting for turn in turns if turn.waiting is not None]
    if shares and float(np.median(shares)) > bounds.waiting:
        yield (
            f"other processes had the processor for {np.median(shares):.0%} of the time that the model wanted it, and "
            f"at most {bounds.waiting:.0%} is valid"
        )
