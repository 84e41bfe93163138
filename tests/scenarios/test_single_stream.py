"""Scenario ``single_stream``: how much each profile measures, and what is valid."""

from __future__ import annotations

import pytest

from evalsuite.profiles import PROFILES, ProfileName
from evalsuite.scenarios.contract import LEAST_ROUNDS, MOST_CALLS, Pace, Scenario
from evalsuite.scenarios.offline import Offline
from evalsuite.scenarios.realtime import Realtime
from evalsuite.scenarios.server import Server
from evalsuite.scenarios.server_search import ServerSearch
from evalsuite.scenarios.single_stream import SingleStream
from evalsuite.scenarios.stages import Stages
from evalsuite.stats.percentiles import least_values
from tests.scenarios.subjects import Sleeper, batches


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("scenario", [SingleStream(), Offline()])
def test_least_that_a_profile_measures_is_valid(profile: ProfileName, scenario: SingleStream | Offline) -> None:
    pace = scenario.pace(profile)
    assert pace.rounds >= LEAST_ROUNDS
    assert scenario.flaw([{"": [0.1] * pace.calls}] * pace.rounds) == ""


@pytest.mark.parametrize(("profile", "percentile"), [("ci", 90), ("standard", 95), ("strict", 99)])
def test_percentiles_that_a_profile_bears(profile: ProfileName, percentile: int) -> None:
    pace = SingleStream().pace(profile)
    assert pace.rounds * pace.calls >= least_values(percentile)


@pytest.mark.parametrize(
    ("rounds", "calls", "flaw"),
    [(11, 20, "11 rounds, and a valid measurement needs 12"), (12, 3, "36 values, and a valid measurement needs 44")],
)
def test_flaw_says_what_was_found_and_what_is_needed(rounds: int, calls: int, flaw: str) -> None:
    assert SingleStream().flaw([{"": [0.1] * calls}] * rounds) == flaw


@pytest.mark.parametrize(("fastest_s", "calls"), [(1.0, 8), (0.1, 8), (0.01, 25), (0.003, 84), (0.0, MOST_CALLS)])
def test_turn_has_a_least_count_and_a_least_duration(fastest_s: float, calls: int) -> None:
    assert Pace(12, 8, 0.25, warmups=3, lead_in=1).calls_per_turn(fastest_s) == calls


def test_seconds_of_single_images() -> None:
    sleeper = Sleeper((0.002, 0.02))
    seconds = SingleStream().measure(sleeper, batches(4), 0)[""]  # type: ignore[arg-type]
    assert SingleStream().images_per_call(of_target=64) == 1
    assert len(seconds) == 4
    assert min(seconds[1::2]) >= 0.02 > 0.002 <= min(seconds[0::2])


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "scenario", [SingleStream(), Offline(), Stages(), Server(rate=1), ServerSearch(bound=1), Realtime(fps=1)]
)
def test_turns_begin_with_untimed_calls_for_the_caches(profile: ProfileName, scenario: Scenario) -> None:
    assert scenario.pace(profile).lead_in >= 1
