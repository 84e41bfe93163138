"""What turns amount to: raw values by series, VALID or INVALID with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.subject import Turn
from evalsuite.records import Timings
from evalsuite.scenarios.contract import ProfileName, Scenario

Schedule = Literal["turns", "blocks", "processes"]


def timings_of(
    entrant: Entrant, text: str, scenario: Scenario, profile: ProfileName, turns: Sequence[Turn], schedule: Schedule
) -> Iterator[Timings]:
    """One record for each series of a scenario, the scenario's own first."""
    pace = scenario.pace(profile)
    flaw = scenario.flaw([turn.series for turn in turns])
    names = dict.fromkeys(name for turn in turns for name in turn.series)
    for name in sorted(names):
        yield Timings(
            case_key=entrant.case_key,
            scenario=text,
            series=name,
            schedule=schedule,
            batch_size=scenario.images_per_call(entrant.batch_size),
            unit=scenario.unit,
            warmups=pace.warmups + pace.rounds * pace.lead_in,
            values=[turn.series.get(name, []) for turn in turns],
            environment=entrant.environment,
            valid=not flaw,
            reason=flaw,
        )
