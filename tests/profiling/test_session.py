"""What a session asks of its models, and what becomes of those that fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evalsuite.errors import CellError, Failed, Unavailable
from evalsuite.executors.contract import Executor
from evalsuite.executors.local import Local
from evalsuite.models.contract import Batch
from evalsuite.pairing import seeds_of
from evalsuite.profiling.profiles import PROFILES, Pace, Profile
from evalsuite.profiling.session import Entrant, Session
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.records import Timings
from tests.profiling.inline import Inline

pytestmark = pytest.mark.usefixtures("scripted_plugins")

SHORT = Profile(
    {"single_stream": Pace(3, 2, 0.0, warmups=2, lead_in=1), "offline": Pace(3, 1, 0.0, warmups=1, lead_in=0)},
    processes=2,
    patience_s=1.0,
)


def entrant(name: str, batch_size: int = 4, **settings: Any) -> Entrant:
    spec = SubjectSpec("scripted", {"name": name, **settings}, "bare", {"batch_size": batch_size})
    return Entrant(name, spec, batch_of, batch_size)


def batch_of(ids: NDArray[np.int64]) -> Batch:
    return Batch(ids, seeds_of(ids, 0), ids % 10)


def measure(
    entrants: list[Entrant], *scenarios: str, profile: Profile = SHORT, executor: Executor | None = None
) -> dict[tuple[str, str], Timings]:
    session = Session(executor or Inline(), profile, frozenset(scenarios), lambda *turn: None)
    session.run(entrants)
    return {(timing.case_key, timing.scenario): timing for one in entrants for timing in one.timings}


def calls_in(log: Path) -> list[tuple[str, int, int]]:
    lines = (line.split(",") for line in log.read_text().splitlines())
    return [(name, int(size), int(seed)) for name, size, seed in lines]


@pytest.mark.parametrize("executor", [Inline(), Local()], ids=["inline", "local"])
def test_models_take_turns_in_abba_order(tmp_path: Path, executor: Executor) -> None:
    log = tmp_path / "log"
    measure([entrant(name, log=log) for name in "AB"], "single_stream", executor=executor)
    warmups, turns = "AABB", "AAABBB" + "BBBAAA" + "AAABBB"  # three calls a turn: one of lead-in and two timed
    assert "".join(name for name, _, _ in calls_in(log)) == warmups + turns


def test_calls_and_settings_are_as_recorded(tmp_path: Path) -> None:
    log = tmp_path / "log"
    timings = measure([entrant("A", batch_size=5, log=log)], "single_stream", "offline")
    single, offline = timings["A", "single_stream"], timings["A", "offline"]
    assert (single.warmups, [len(values) for values in single.values]) == (2 + 3, [2, 2, 2])
    assert (offline.warmups, [len(values) for values in offline.values]) == (1, [1, 1, 1])
    assert (single.batch_size, offline.batch_size, single.unit) == (1, 5, "s")
    sizes = Counter(size for _, size, _ in calls_in(log))
    assert sizes == {1: single.warmups + 6, 5: offline.warmups + 3}


def test_no_seed_is_used_twice(tmp_path: Path) -> None:
    log = tmp_path / "log"
    measure([entrant("A", batch_size=1, log=log)], "single_stream", "offline", "memory")
    first_process = [seed for _, _, seed in calls_in(log)][:-1]
    assert len(set(first_process)) == len(first_process)


def test_fast_model_gets_more_calls_in_every_round_alike() -> None:
    profile = Profile({"single_stream": Pace(3, 2, 0.1, warmups=2, lead_in=1)}, processes=1)
    timings = measure([entrant("fast", call_s=0.01), entrant("slow", call_s=0.08)], "single_stream", profile=profile)
    fast, slow = ([len(values) for values in timings[name, "single_stream"].values] for name in ("fast", "slow"))
    assert slow == [2, 2, 2]
    assert len(set(fast)) == 1
    assert 5 <= fast[0] <= 10


def test_known_durations_are_measured() -> None:
    timings = measure(
        [entrant("A", call_s=0.02, image_s=0.01, batch_size=6)], "single_stream", "offline", executor=Local()
    )
    assert np.median(timings["A", "single_stream"].values) == pytest.approx(0.03, rel=0.1)
    assert np.median(timings["A", "offline"].values) == pytest.approx(0.08, rel=0.1)


def test_memory_of_fresh_processes_is_that_of_the_model() -> None:
    entrants = [entrant("large", load_bytes=200_000_000), entrant("small", load_bytes=40_000_000)]
    timings = measure(entrants, "memory", profile=PROFILES["standard"], executor=Local())
    for name, size in (("large", 200e6), ("small", 40e6)):
        memory = timings[name, "memory"]
        assert np.shape(memory.values) == (3, 1)
        np.testing.assert_allclose(memory.values, size, rtol=0.1)
        assert (memory.valid, memory.unit, memory.batch_size) == (True, "bytes", 4)
        assert memory.environment["memory_source"] in ("VmHWM", "ru_maxrss")


def test_timed_process_is_the_first_of_those_for_memory() -> None:
    executor = Inline()
    timings = measure([entrant("A")], "single_stream", "memory", executor=executor)
    assert len(timings["A", "memory"].values) == executor.opened == 2


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"fail": "open"}, Unavailable, "its weights are not here"),
        ({"fail": "raise"}, Failed, "ValueError: odd weights"),
        ({"fail": "kill", "good_calls": 3}, Failed, "killed by SIGKILL"),
        ({"fail": "hang", "good_calls": 6}, Failed, "no sign of life for 1 s"),
        ({"fail": "short", "good_calls": 8}, Failed, "returned 0 images for a batch of 1"),
    ],
)
def test_model_that_fails_drops_out_and_the_others_go_on(
    settings: dict[str, Any], error: type[CellError], message: str
) -> None:
    good, bad = entrant("good"), entrant("bad", **settings)
    timings = measure([bad, good], "single_stream", executor=Local())
    assert type(bad.error) is error
    assert message in str(bad.error)
    assert bad.timings == []
    assert good.error is None
    assert len(timings["good", "single_stream"].values) == 3


def test_session_that_is_too_short_says_so() -> None:
    timing = measure([entrant("A")], "single_stream")["A", "single_stream"]
    assert (timing.valid, timing.reason) == (False, "3 rounds, and a valid measurement needs 12")


def test_turns_are_reported() -> None:
    turns: list[tuple[str, str, int, int]] = []
    Session(Inline(), SHORT, frozenset({"offline", "memory"}), lambda *turn: turns.append(turn)).run([entrant("A")])
    offline = [("A", "offline", turn, 3) for turn in (1, 2, 3)]
    assert turns == [("A", "memory", 1, 2), *offline, ("A", "memory", 2, 2)]
