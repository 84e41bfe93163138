"""What a session asks of its models, and what becomes of those that fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evalsuite import plugins
from evalsuite.errors import CellError, Failed, Unavailable
from evalsuite.executors.contract import Executor
from evalsuite.executors.local import Local
from evalsuite.models.contract import Batch
from evalsuite.pairing import seeds_of
from evalsuite.profiling.bounds import BOUNDS
from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.session import ReportTurn, Session
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.records import Timings
from tests.profiling.inline import Inline

pytestmark = pytest.mark.usefixtures("scripted_plugins")


def entrant(name: str, batch_size: int = 4, **settings: Any) -> Entrant:
    spec = SubjectSpec("scripted", {"name": name, **settings}, "bare", {"batch_size": batch_size})
    return Entrant(name, spec, batch_of, batch_size)


def batch_of(ids: NDArray[np.int64]) -> Batch:
    return Batch(ids, seeds_of(ids, 0), ids % 10)


def session_of(
    *scenarios: str, executor: Executor | None = None, seed: int = 0, report: ReportTurn = lambda *turn: None
) -> Session:
    made = {text: plugins.make("scenarios", text) for text in scenarios}
    return Session(executor or Inline(), "ci", made, seed, 1.0, report)


def measure(
    entrants: list[Entrant], *scenarios: str, executor: Executor | None = None, seed: int = 0
) -> dict[tuple[str, str, str], Timings]:
    session_of(*scenarios, executor=executor, seed=seed).run(entrants)
    return {(one.case_key, one.scenario, one.series): one for entrant in entrants for one in entrant.timings}


def calls_in(log: Path) -> list[tuple[str, int, int]]:
    lines = (line.split(",") for line in log.read_text().splitlines())
    return [(name, int(size), int(seed)) for name, size, seed in lines]


def without_audit(calls: list[tuple[str, int, int]], models: int = 1) -> list[tuple[str, int, int]]:
    """Calls before the cache audit, which comes last: new requests and each again."""
    return calls[: -2 * BOUNDS["ci"].audited * models]


@pytest.mark.parametrize("executor", [Inline(), Local()], ids=["inline", "local"])
def test_models_take_turns_in_abba_order(tmp_path: Path, executor: Executor) -> None:
    log = tmp_path / "log"
    measure([entrant(name, log=log) for name in "AB"], "brisk", executor=executor)
    warmups, turns = "AABB", "AAABBB" + "BBBAAA" + "AAABBB"  # three calls a turn: one of lead-in and two timed
    assert "".join(name for name, _, _ in without_audit(calls_in(log), models=2)) == warmups + turns


def test_calls_and_settings_are_as_recorded(tmp_path: Path) -> None:
    log = tmp_path / "log"
    timings = measure([entrant("A", batch_size=5, log=log)], "brisk", "brisk:images=0")
    single, whole = timings["A", "brisk", ""], timings["A", "brisk:images=0", ""]
    for timing in (single, whole):
        assert (timing.warmups, [len(values) for values in timing.values]) == (2 + 3, [2, 2, 2])
        assert (timing.unit, timing.schedule, timing.valid) == ("s", "turns", True)
    assert (single.batch_size, whole.batch_size) == (1, 5)
    assert Counter(size for _, size, _ in without_audit(calls_in(log))) == {1: 5 + 6, 5: 5 + 6}


def test_no_sample_is_used_twice_and_the_timed_ones_are_the_scored_ones(tmp_path: Path) -> None:
    log = tmp_path / "log"
    measure([entrant("A", batch_size=1, log=log)], "brisk", "brisk:images=0")
    seeds = [seed for _, _, seed in without_audit(calls_in(log))]
    assert len(set(seeds)) == len(seeds)
    assert set(seeds_of(np.arange(2 * 6), 0)) < set(seeds)


def test_every_series_has_its_own_timings_and_seeds_are_those_of_the_round() -> None:
    timings = measure([entrant("A"), entrant("B")], "brisk")
    first, second = (timings[name, "brisk", "seed"].values for name in "AB")
    assert first == second
    assert len({seed for (seed,) in first}) == 3
    assert measure([entrant("A")], "brisk", seed=1)["A", "brisk", "seed"].values != first


def test_fast_model_gets_more_calls_in_every_round_alike() -> None:
    brisk = "brisk:seconds=0.1"
    timings = measure([entrant("fast", call_s=0.01), entrant("slow", call_s=0.08)], brisk)
    fast, slow = ([len(values) for values in timings[name, brisk, ""].values] for name in ("fast", "slow"))
    assert slow == [2, 2, 2]
    assert len(set(fast)) == 1
    assert 5 <= fast[0] <= 10


def test_processes_are_fresh_and_shared_by_those_who_may(tmp_path: Path) -> None:
    log, executor = tmp_path / "log", Inline()
    timings = measure([entrant("A", log=log)], "later", "first", "brisk", executor=executor)
    assert (len(timings["A", "first", ""].values), len(timings["A", "later", ""].values)) == (2, 3)
    assert {timings["A", text, ""].schedule for text in ("first", "later")} == {"processes"}
    assert executor.opened == 3 + 1
    seeds = [seed for _, _, seed in calls_in(log)]
    assert seeds[:5] == [*seeds_of(np.array([0, 1, 0, 1, 0]), 0)]


def test_two_that_are_about_the_first_call_have_processes_of_their_own() -> None:
    executor = Inline()
    measure([entrant("A")], "first", "first:images=2", executor=executor)
    assert executor.opened == 4


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
    timings = measure([bad, good], "brisk", executor=Local())
    assert type(bad.error) is error
    assert message in str(bad.error)
    assert bad.timings == []
    assert good.error is None
    assert len(timings["good", "brisk", ""].values) == 3


def test_model_that_fails_in_a_fresh_process_is_not_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    good, bad = entrant("good"), entrant("bad", fail="raise", log=log)
    timings = measure([bad, good], "later", "brisk")
    assert "odd weights" in str(bad.error)
    assert len(calls_in(log)) == 1
    assert {text for _, text, _ in timings} == {"later", "brisk"}


def test_scenario_that_is_not_for_a_model_leaves_the_others() -> None:
    one = entrant("A")
    timings = measure([one], "brisk:gap=no counter", "brisk")
    assert {text for _, text, _ in timings} == {"brisk"}
    assert one.error is None
    assert {text: str(gap) for text, gap in one.gaps.items()} == {"brisk:gap=no counter": "no counter"}


def test_turns_are_reported() -> None:
    turns: list[tuple[str, str, int, int]] = []
    session_of("brisk", "later", report=lambda *turn: turns.append(turn)).run([entrant("A")])
    assert turns == [("A", text, turn, 3) for text in ("later", "brisk") for turn in (1, 2, 3)]
