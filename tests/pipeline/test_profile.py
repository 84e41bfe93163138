"""The profile step: which models are timed in which scenarios, what is kept, and what is missing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from evalsuite.errors import UnknownNameError
from evalsuite.executors.contract import Executor
from evalsuite.executors.local import Local
from evalsuite.pipeline.events import Event
from evalsuite.pipeline.plan import make_plan
from evalsuite.pipeline.profile import profile
from evalsuite.pipeline.samples import Chunk, SampleSet, Span
from evalsuite.records import Missing, Timings
from evalsuite.store import Store
from evalsuite.suite.schema import MetricSpec, Suite
from tests.profiling.inline import Inline
from tests.profiling.scripted import IMAGE_SHAPE, one_process, scripted_plugins

__all__ = ["one_process", "scripted_plugins"]

pytestmark = pytest.mark.usefixtures("scripted_plugins", "one_process")


@pytest.fixture
def store(tmp_path: Any) -> Store:
    return Store(tmp_path / "cache")


def suite_of(models: dict[str, dict[str, Any]], *scenarios: str, **targets: dict[str, Any]) -> Suite:
    return Suite.model_validate(
        {
            "suite": "speed",
            "task": "class_conditional",
            "reference": {"dataset": "fashion-mnist"},
            "sampling": {"num_samples": 4},
            "models": {
                name: {"role": "student", "adapter": "scripted", "settings": {"name": name, **settings}}
                for name, settings in models.items()
            },
            "targets": {
                name: {"device": "bare", "settings": settings} for name, settings in (targets or {"cpu": {}}).items()
            },
            "metrics": [
                {
                    "name": "my-" + re.sub("[:=]", "-", texts),
                    "metric": "stopwatch",
                    "settings": {"scenarios": texts.split()},
                }
                for texts in scenarios
            ],
        }
    )


def run(
    suite: Suite, store: Store, executor: Executor | None = None, *, fresh: bool = False
) -> tuple[list[Timings], list[Missing], list[Event]]:
    events: list[Event] = []
    found = profile(
        suite,
        make_plan(suite),
        executor=executor or Inline(),
        store=store,
        listener=events.append,
        fresh=fresh,
        profile="ci",
        patience_s=2.0,
    )
    return found.timings, found.missing, events


def test_every_model_on_every_target_in_the_scenarios_that_metrics_need(store: Store) -> None:
    suite = suite_of(
        {"a": {}, "b": {}}, "brisk:images=0", "later:images=0", small={"batch_size": 2}, large={"batch_size": 8}
    )
    timings, missing, _ = run(suite, store)
    assert missing == []
    assert {(timing.case_key, timing.scenario, timing.batch_size) for timing in timings} == {
        (f"{model}@{target}/all", scenario, size)
        for model in "ab"
        for target, size in (("small", 2), ("large", 8))
        for scenario in ("brisk:images=0", "later:images=0")
    }


def test_suite_without_timing_metrics_starts_no_process(store: Store) -> None:
    executor = Inline()
    assert run(suite_of({"a": {}}, "brisk").model_copy(update={"metrics": []}), store, executor)[:2] == ([], [])
    assert executor.opened == 0


def test_model_that_cannot_be_timed_is_skipped(store: Store) -> None:
    timings, missing, _ = run(suite_of({"a": {}, "folder": {"timed": False}}, "brisk", "later"), store)
    assert {timing.case_key for timing in timings} == {"a@cpu/all"}
    assert {(cell.name, cell.kind, cell.model, cell.against) for cell in missing} == {
        ("my-brisk", "skipped", "folder", "none"),
        ("my-later", "skipped", "folder", "none"),
    }
    assert "no speed to measure" in missing[0].reason


def test_crash_is_a_missing_of_each_metric_and_the_others_are_timed(store: Store) -> None:
    suite = suite_of({"a": {}, "crashes": {"fail": "kill", "good_calls": 2}}, "brisk", "brisk:images=0")
    timings, missing, _ = run(suite, store, Local())
    assert {timing.case_key for timing in timings} == {"a@cpu/all"}
    assert {(cell.name, cell.kind, cell.model) for cell in missing} == {
        ("my-brisk", "failed", "crashes"),
        ("my-brisk-images-0", "failed", "crashes"),
    }
    assert "SIGKILL" in missing[0].reason


def test_second_run_reuses_the_values_unless_fresh(store: Store) -> None:
    suite = suite_of({"a": {"call_s": 0.001}, "b": {}}, "brisk")
    first, _, _ = run(suite, store)
    executor = Inline()
    again, _, events = run(suite, store, executor)
    assert again == first
    assert executor.opened == 0
    assert [(event.kind, event.key) for event in events[1:]] == [("cached", "a@cpu/all"), ("cached", "b@cpu/all")]
    fresh, _, _ = run(suite, store, fresh=True)
    assert fresh != first
    assert run(suite, store)[0] == fresh


@pytest.mark.parametrize(
    "changed",
    [
        suite_of({"a": {"image_s": 0.001}}, "brisk"),
        suite_of({"a": {}}, "brisk:images=0"),
        suite_of({"a": {}}, "brisk", cpu={"threads": 1}),
        suite_of({"a": {}, "b": {}}, "brisk"),
    ],
    ids=["model", "scenario", "target", "company"],
)
def test_whatever_can_change_a_timing_is_measured_again(store: Store, changed: Suite) -> None:
    run(suite_of({"a": {}}, "brisk"), store)
    executor = Inline()
    run(changed, store, executor)
    assert executor.opened > 0


@pytest.mark.parametrize("settings", [{"cached": False}, {"fail": "raise", "good_calls": 2}], ids=["unknown", "failed"])
def test_session_is_not_kept_if_a_model_has_no_fingerprint_or_failed(store: Store, settings: dict[str, Any]) -> None:
    suite = suite_of({"a": {}, "b": settings}, "brisk")
    run(suite, store)
    executor = Inline()
    run(suite, store, executor)
    assert executor.opened == 2


def test_progress_names_the_case_and_the_scenario(store: Store) -> None:
    _, _, events = run(suite_of({"a": {}}, "brisk"), store)
    stage = Event("stage", "profile", total=1)
    assert events == [stage, *(Event("progress", "profile", "a@cpu/all", n, 3, "brisk") for n in (1, 2, 3))]


def test_unknown_profile(store: Store) -> None:
    suite = suite_of({"a": {}}, "brisk")
    with pytest.raises(UnknownNameError, match="did you mean 'ci'"):
        profile(suite, make_plan(suite), executor=Inline(), store=store, listener=print, profile="cli")


def test_timed_outputs_are_compared_with_the_scored_ones_and_findings_are_kept(store: Store) -> None:
    suite = suite_of({"a": {}}, "brisk")
    for start in (0, 2):
        store.write("samples", f"key/{start}-{start + 2}", {"images": np.full((2, *IMAGE_SHAPE), 9, np.uint8)})
    chunks = tuple(Chunk(f"key/{start}-{start + 2}", Span(start, start + 2), "") for start in (0, 2))
    for _ in range(2):
        found = profile(
            suite,
            make_plan(suite),
            executor=Inline(),
            store=store,
            listener=lambda event: None,
            profile="ci",
            scored={"a@cpu/all": SampleSet(store, "key", chunks)},
        )
        (finding,) = found.findings
        assert finding.audit == "timed outputs"
        assert "sample 1 differs by 9 of 255" in finding.evidence
        assert not any(timing.valid for timing in found.timings)
    assert all(timing.valid for timing in run(suite, store)[0])


def test_what_no_target_changes_is_counted_once_for_all(store: Store) -> None:
    suite = suite_of({"a": {}}, "counted", small={"batch_size": 2}, large={"batch_size": 8})
    executor = Inline()
    timings, missing, _ = run(suite, store, executor)
    assert (executor.opened, missing) == (1, [])
    assert {(timing.case_key, timing.batch_size) for timing in timings} == {("a@small/all", 1), ("a@large/all", 1)}


@pytest.mark.parametrize(
    ("texts", "kinds"),
    [("brisk:gap=none", {"unavailable"}), ("brisk brisk:gap=none", set()), ("later brisk:gap=none", set())],
)
def test_scenario_that_cannot_be_had_is_missing_where_it_is_all_that_a_metric_reads(
    store: Store, texts: str, kinds: set[str]
) -> None:
    suite = suite_of({"a": {}}, "brisk").model_copy(
        update={"metrics": [MetricSpec(name="m", metric="stopwatch", settings={"scenarios": texts.split()})]}
    )
    for _ in range(2):
        _, missing, _ = run(suite, store)
        assert {cell.kind for cell in missing} == kinds
