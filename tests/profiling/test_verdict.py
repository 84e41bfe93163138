"""Which unrest of the machine makes timings INVALID, and what is kept to show it."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.profiles import PROFILES, ProfileName
from evalsuite.profiling.bounds import BOUNDS
from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.subject import SubjectSpec, Turn
from evalsuite.profiling.verdict import timings_of, unrest
from evalsuite.scenarios.single_stream import SingleStream

CALM = np.ones(12)


def turns(
    clock: object = CALM, calls: object = CALM, waiting: object = None, values: tuple[float, ...] = (1.0,) * 8
) -> list[Turn]:
    shares = [None] * 12 if waiting is None else [float(share) for share in np.broadcast_to(waiting, 12)]  # type: ignore[call-overload]
    rounds = zip(np.broadcast_to(clock, 12), np.broadcast_to(calls, 12), shares, strict=True)  # type: ignore[call-overload]
    return [Turn({"": list(values)}, float(call), float(tick), share, None) for tick, call, share in rounds]


def reasons(found: list[Turn], profile: ProfileName = "standard") -> list[str]:
    return list(unrest(found, BOUNDS[profile]))


def test_quiet_machine_is_valid() -> None:
    rng = np.random.default_rng(0)
    found = turns(rng.normal(1, 0.01, 12), rng.normal(1, 0.02, 12), 0.01)
    assert [reasons(found, profile) for profile in PROFILES] == [[], [], []]


@pytest.mark.parametrize("slope", [0.5, -0.4])
def test_clock_that_drifts(slope: float) -> None:
    (reason,) = reasons(turns(clock=1 + slope * np.linspace(0, 1, 12)))
    assert "the clock speed drifted" in reason
    assert ("slower" if slope > 0 else "faster") in reason
    assert "at most 20% is valid" in reason


def test_one_slow_moment_is_no_drift_and_no_noise() -> None:
    outlier = np.where(np.arange(12) == 5, 3.0, 1.0)
    assert reasons(turns(outlier, outlier, 0.9 * (outlier > 1))) == []


def test_rounds_that_differ() -> None:
    (reason,) = reasons(turns(calls=np.tile([1.0, 2.0], 6)))
    assert reason == "noise: the rounds' median calls spread by 49%, and at most 30% is valid"


def test_other_processes() -> None:
    (reason,) = reasons(turns(waiting=0.5))
    assert "other processes had the processor for 50% of the time" in reason


def test_profile_for_shared_machines_forgives_them() -> None:
    found = turns(1 + 0.3 * np.linspace(0, 1, 12), np.tile([1.0, 2.0], 6), 0.5)
    assert reasons(found, "ci") == []
    assert len(reasons(found, "strict")) == 3


def test_bounds_become_stricter() -> None:
    for name in ("drift", "noise", "waiting"):
        ci, standard, strict = (getattr(BOUNDS[profile], name) for profile in PROFILES)
        assert ci > standard > strict > 0


def test_few_turns_have_no_trend() -> None:
    assert reasons(turns(clock=[1.0] * 6 + [9.0] * 6)[:5]) == []


def test_record_holds_what_the_verdict_rests_on() -> None:
    entrant = Entrant("m@t/all", SubjectSpec("scripted", {}, "bare", {}), lambda ids: None, 4)  # type: ignore[arg-type, return-value]
    found = {
        one.series: one
        for one in timings_of(entrant, "single_stream", SingleStream(), "standard", turns(waiting=0.5), "blocks")
    }
    assert list(found) == ["", "clock", "waiting"]
    assert found[""].values == [[1.0] * 8] * 12
    assert (found["clock"].unit, found["waiting"].unit) == ("s", "")
    assert found["waiting"].values == [[0.5]] * 12
    pace = SingleStream().pace("standard")
    assert found[""].warmups == pace.rounds * (pace.warmups + pace.lead_in)
    assert all(not one.valid and "other processes" in one.reason for one in found.values())
