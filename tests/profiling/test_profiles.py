"""How much each profile measures, and what makes a measurement valid."""

import pytest

from evalsuite.profiling.profiles import (
    LEAST_PROCESSES,
    MOST_CALLS,
    PROFILES,
    Pace,
    TimedScenario,
    memory_flaw,
    timing_flaw,
)


@pytest.mark.parametrize("profile", ["standard", "strict"])
@pytest.mark.parametrize("scenario", ["single_stream", "offline"])
def test_least_that_a_profile_measures_is_valid(profile: str, scenario: TimedScenario) -> None:
    pace = PROFILES[profile].paces[scenario]
    assert timing_flaw(scenario, [[0.1] * pace.calls] * pace.rounds) == ""
    assert memory_flaw([[1.0]] * PROFILES[profile].processes) == ""


def test_strict_profile_has_enough_values_for_the_99th_percentile() -> None:
    pace = PROFILES["strict"].paces["single_stream"]
    assert pace.rounds * pace.calls >= 459


def test_ci_profile_says_that_it_is_too_short() -> None:
    pace = PROFILES["ci"].paces["single_stream"]
    assert "6 rounds" in timing_flaw("single_stream", [[0.1] * pace.calls] * pace.rounds)


@pytest.mark.parametrize(
    ("rounds", "calls", "flaw"),
    [(11, 20, "11 rounds, and a valid measurement needs 12"), (12, 7, "84 values, and a valid measurement needs 96")],
)
def test_flaw_says_what_was_found_and_what_is_needed(rounds: int, calls: int, flaw: str) -> None:
    assert timing_flaw("single_stream", [[0.1] * calls] * rounds) == flaw


def test_fewer_than_three_processes_do_not_show_a_peak() -> None:
    assert memory_flaw([[1.0]] * (LEAST_PROCESSES - 1)).startswith("2 processes")


@pytest.mark.parametrize(("fastest_s", "calls"), [(1.0, 8), (0.1, 8), (0.01, 25), (0.003, 84), (0.0, MOST_CALLS)])
def test_turn_has_a_least_count_and_a_least_duration(fastest_s: float, calls: int) -> None:
    assert Pace(12, 8, 0.25, warmups=3, lead_in=1).calls_per_turn(fastest_s) == calls
