"""What a session asks of its models, and what becomes of those that fail."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
from evalsuite.profiling import room
from evalsuite.profiling.agreement import Scored
from evalsuite.profiling.bounds import BOUNDS
from evalsuite.profiling.entrant import Entrant
from evalsuite.profiling.room import Need
from evalsuite.profiling.session import ReportTurn, Session
from evalsuite.profiling.subject import SubjectSpec
from evalsuite.profiling.turns import PROCESSES
from evalsuite.records import Timings
from tests.profiling.inline import Inline
from tests.profiling.scripted import IMAGE_SHAPE

pytestmark = pytest.mark.usefixtures("scripted_plugins", "one_process")

PATIENCE_S = 4.0
"""Long enough for a process that has to wait for the other tests."""


def entrant(name: str, batch_size: int = 4, **settings: Any) -> Entrant:
    spec = SubjectSpec("scripted", {"name": name, **settings}, "bare", {"batch_size": batch_size})
    return Entrant(name, spec, batch_of, batch_size)


def batch_of(ids: NDArray[np.int64]) -> Batch:
    return Batch(ids, seeds_of(ids, 0), ids % 10)


def session_of(
    *scenarios: str, executor: Executor | None = None, seed: int = 0, report: ReportTurn = lambda *turn: None
) -> Session:
    made = {text: plugins.make("scenarios", text) for text in scenarios}
    return Session(executor or Inline(), "ci", made, seed, PATIENCE_S, report)


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
def test_models_take_turns_forwards_and_backwards(tmp_path: Path, executor: Executor) -> None:
    log = tmp_path / "log"
    measure([entrant(name, log=log) for name in "AB"], "brisk", executor=executor)
    warmups, turns = "AABB", "AAABBB" + "AAABBB" + "BBBAAA"  # three calls a turn: one of lead-in and two timed
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


def test_processes_share_the_rounds_of_every_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROCESSES, "ci", 2)  # type: ignore[arg-type]
    log, executor = tmp_path / "log", Inline()
    timings = measure([entrant(name, log=log) for name in "AB"], "brisk", "later", executor=executor)
    assert executor.opened == 2 * 3, "of which the last two take turns"
    in_each_process = ["AB", "AB" + "AABB" + "AAABBB", "AB" + "AABB" + "AAABBB" + "BBBAAA"]
    calls = without_audit(calls_in(log), models=2)
    assert "".join(name for name, _, _ in calls) == "".join(in_each_process)
    assert timings["A", "brisk", ""].warmups == 2 * 2 + 3
    assert [len(values) for values in timings["A", "brisk", ""].values] == [2, 2, 2]


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
    assert executor.opened == 3, "the last of them takes the turns"
    seeds = [seed for _, _, seed in without_audit(calls_in(log))]
    assert seeds[:5] == [*seeds_of(np.arange(5), 0)]
    assert len(set(seeds)) == len(seeds)


def test_twice_as_many_as_there_are_processors_start_together_and_load_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    done: list[str] = []

    class Told(Inline):
        @contextmanager
        def open(self, factory: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[Any]:
            done.append("start")
            with super().open(factory, arguments) as worker:
                call = worker.call
                worker.call = lambda method, *rest, **options: done.append(method) or call(method, *rest, **options)
                yield worker
            done.append("end")

    measure([entrant(name) for name in "ABC"], "first", executor=Told())
    steps = [step for step in done if step in ("start", "ready", "load", "end")]
    assert steps == 2 * [
        "start",
        "start",
        "ready",
        "ready",
        "load",
        "end",
        "load",
        "end",
        "start",
        "ready",
        "load",
        "end",
    ]


def test_no_fresh_process_stays_where_not_all_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "fit", lambda needs, host_bytes: False)
    executor = Inline()
    timings = measure([entrant("A"), entrant("B")], "later", "brisk", executor=executor)
    assert timings["A", "brisk", ""].schedule == "blocks"
    assert executor.opened == 2 * 3 + 2 * 3 + 2  # fresh ones, one for each turn, and for the cache audit


def test_libraries_of_scenarios_are_there_before_the_model_is_loaded() -> None:
    with_library = measure([entrant("a")], "learned", executor=Local())
    assert with_library["a", "learned", ""].values == [[1.0]]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have other habits")
def test_processes_that_take_turns_keep_what_they_free() -> None:
    timings = measure([entrant("A")], "paged", "paged_before", executor=Local())
    before = np.min(timings["A", "paged_before", ""].values)
    assert before > 100
    assert np.max(timings["A", "paged", ""].values) < before / 10


def test_two_that_are_about_the_first_call_have_processes_of_their_own() -> None:
    executor = Inline()
    measure([entrant("A")], "first", "first:images=2", executor=executor)
    assert executor.opened == 4


FAILURES: dict[str, tuple[dict[str, Any], type[CellError], str]] = {
    "absent": ({"fail": "open"}, Unavailable, "its weights are not here"),
    "raises": ({"fail": "raise"}, Failed, "ValueError: odd weights"),
    "dies": ({"fail": "kill", "good_calls": 3}, Failed, "killed by SIGKILL"),
    "hangs": ({"fail": "hang", "good_calls": 6}, Failed, f"no sign of life for {PATIENCE_S:g} s"),
    "lacks": ({"fail": "short", "good_calls": 8}, Failed, "returned 0 images for a batch of 1"),
}
"""Settings of models that fail, and how."""


def test_models_that_fail_drop_out_and_the_others_go_on() -> None:
    good, bad = entrant("good"), {name: entrant(name, **settings) for name, (settings, *_) in FAILURES.items()}
    timings = measure([*bad.values(), good], "brisk", executor=Local())
    for name, (_, error, message) in FAILURES.items():
        assert type(bad[name].error) is error
        assert message in str(bad[name].error)
        assert bad[name].timings == []
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


def scored(pixel: int) -> Scored:
    return Scored(lambda ids: np.full((len(ids), *IMAGE_SHAPE), pixel, np.uint8), count=3, tolerance=0.0, reduced=False)


def test_model_that_is_timed_with_other_outputs_than_were_scored_is_invalid() -> None:
    honest, other = entrant("honest", pixel=7), entrant("other", pixel=9)
    honest.scored = other.scored = scored(7)
    timings = measure([honest, other], "brisk", "later")
    assert all(timing.valid for (name, *_), timing in timings.items() if name == "honest")
    told = "timed outputs are not the scored ones: sample 0 differs by 2 of 255 in a pixel, and at most 0 is valid"
    of_other = [timing for (name, *_), timing in timings.items() if name == "other"]
    assert {(timing.valid, timing.reason) for timing in of_other} == {(False, told)}
    (finding,) = other.findings
    assert (finding.audit, finding.severity, finding.case_key) == ("timed outputs", "error", "other")
    assert (honest.findings, finding.evidence) == ([], told)


def test_model_that_answers_from_a_cache_is_invalid() -> None:
    honest, cached = entrant("honest", call_s=0.01), entrant("cached", call_s=0.01, remembers=True)
    timings = measure([honest, cached], "brisk")
    assert timings["honest", "brisk", ""].valid
    assert "the model answers from a cache" in timings["cached", "brisk", ""].reason
    (finding,) = cached.findings
    assert finding.audit == "cache"


def test_models_that_do_not_fit_together_are_loaded_for_each_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "fit", lambda needs, host_bytes: False)
    log, executor = tmp_path / "log", Inline()
    timings = measure([entrant(name, log=log) for name in "AB"], "brisk", executor=executor)
    timing = timings["A", "brisk", ""]
    assert (timing.schedule, timing.warmups, len(timing.values)) == ("blocks", 3 * (2 + 1), 3)
    assert executor.opened == 2 * 3 + 2  # the last for the cache audit
    calls = without_audit(calls_in(log), models=2)
    assert "".join(name for name, _, _ in calls) == "A" * 5 + "B" * 5 + "A" * 5 + "B" * 10 + "A" * 5
    seeds = [seed for name, _, seed in calls if name == "A"]
    assert len(set(seeds)) == len(seeds)


def test_what_fresh_processes_needed_decides_whether_models_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def fit(needs: Sequence[Need], host_bytes: int) -> bool:
        asked.append(len([need for need in needs if need.host]))
        return True

    monkeypatch.setattr(room, "fit", fit)
    measure([entrant("A"), entrant("B")], "later", "brisk")
    assert (asked[0], asked[-1]) == (0, 2)
    asked.clear()
    measure([entrant("A"), entrant("B")], "brisk")
    assert asked == [0, 0, 2, 2, 2, 2]  # before any starts, and around each load; what is known of A is supposed of B


def test_of_unknown_models_those_that_were_loaded_tell() -> None:
    needs = {"A": Need(host=60)}
    assert not room.fit_together(["A", "B"], needs, 100)
    assert room.fit_together(["A", "B"], needs, 200)
    assert room.fit_together(["A"], needs, 1)


def test_gpu_that_others_use_is_told() -> None:
    one = entrant("A")
    one.timings = list(measure([entrant("A")], "brisk").values())
    one.judge(2, forgiven=True)
    assert (one.timings[0].valid, one.findings[0].severity) == (True, "warning")
    one.judge(2, forgiven=False)
    assert (one.timings[0].valid, one.timings[0].reason) == (False, "2 other processes compute on the GPU")


def test_allocation_of_200_mb_shows_at_its_size() -> None:
    timings = measure([entrant("large", load_bytes=200_000_000)], "memory", executor=Local())
    memory = timings["large", "memory", ""]
    assert (len(memory.values), memory.valid, memory.unit, memory.batch_size) == (3, True, "bytes", 4)
    np.testing.assert_allclose(memory.values, 200e6, rtol=0.05)
    np.testing.assert_allclose(timings["large", "memory", "load"].values, 200e6, rtol=0.05)


def test_model_over_its_memory_limit_drops_out_and_the_others_go_on() -> None:
    limited = {"threads": 1, "batch_size": 1, "memory_limit": "600 MB"}
    over, under = (
        Entrant(name, SubjectSpec("scripted", {"load_bytes": size}, "cpu", limited), batch_of, 1)
        for name, size in (("over", 2_000_000_000), ("under", 0))
    )
    measure([over, under], "brisk", executor=Local())
    assert isinstance(over.error, Failed)
    assert "600 MB" in str(over.error)
    assert under.error is None
    assert under.timings
