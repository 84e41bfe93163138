"""Tables of comparisons: which cells meet, and their q-values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from evalsuite.compare.tables import across_targets, against_teacher, between_runs
from evalsuite.records import Family
from tests.compare.inputs import missing, of_rounds, of_samples, record

RANDOM = np.random.default_rng(0)


def sliced(model: str, slice: str, ids: np.ndarray, family: Family = Family.PROPORTION):
    role = "teacher" if model == "teacher" else "student"
    values = (RANDOM.uniform(size=len(ids)) < (0.9 if role == "teacher" else 0.7)).astype(float)
    return of_samples(values, family, model=model, role=role, slice=slice, ids=ids)


def a_run(*slices: tuple[str, np.ndarray]):
    return record(*(sliced(model, name, ids) for model in ("teacher", "student", "other") for name, ids in slices))


def test_every_student_meets_the_teacher_on_the_same_slice():
    run = a_run(("all", np.arange(100)), ("class=a", np.arange(0, 100, 2)))
    pairs = [[term.identity.case_key for term in comparison.terms] for comparison in against_teacher(run)]
    assert pairs == [
        ["student@cpu/all", "teacher@cpu/all"],
        ["student@cpu/class=a", "teacher@cpu/class=a"],
        ["other@cpu/all", "teacher@cpu/all"],
        ["other@cpu/class=a", "teacher@cpu/class=a"],
    ]


@pytest.mark.parametrize(("step", "method"), [(4, "bh"), (3, "by")])
def test_q_values_by_kind_of_slice(step, method):
    """Four slices of 25 samples each; those that begin every 3 rows of 100 overlap."""
    parts = [(f"class={i}", (np.arange(25) * 4 + (i if step == 4 else i * 2 % 4)) % 100) for i in range(4)]
    run = a_run(("all", np.arange(100)), *parts, ("latent.scale=1.1", np.arange(100)))
    found = against_teacher(run)
    by_kind = {
        kind: [c for c in found if f"/{kind}" in c.terms[0].identity.case_key] for kind in ("all", "class", "latent")
    }
    expected = false_discovery_control([c.p_value for c in by_kind["class"]], method=method)
    assert [c.q_value for c in by_kind["class"]] == pytest.approx(list(expected))
    assert [c.q_value for c in by_kind["all"]] == [None, None]
    latent = false_discovery_control([c.p_value for c in by_kind["latent"]])
    assert [c.q_value for c in by_kind["latent"]] == pytest.approx(list(latent))


def test_likeness_to_the_teacher_is_not_compared_with_the_teacher():
    psnr = of_samples(RANDOM.normal(size=20)).model_copy(update={"against": "teacher@cpu/all"})
    assert against_teacher(record(psnr)) == []


def test_missing_cells_stay_visible():
    teacher = of_samples(RANDOM.normal(size=20), model="teacher", role="teacher")
    (found,) = against_teacher(record(teacher, missing("psnr")))
    assert "it crashed" in found.incomparable


def test_a_run_without_its_teacher_has_no_comparisons():
    assert against_teacher(record(of_samples(RANDOM.normal(size=20)))) == []


class TestAcrossTargets:
    """Models on ``cpu`` and on ``edge``; the suite names ``cpu`` first."""

    VALUES, ROUNDS = RANDOM.normal(size=50), np.exp(RANDOM.normal(0, 0.01, 12))

    def a_run(self, *cells, targets=("cpu", "edge")):
        made = record(*cells)
        return made.model_copy(
            update={"suite": {**made.suite, "targets": {name: {"device": "cpu"} for name in targets}}}
        )

    def test_samples_are_paired_and_timings_of_two_sessions_are_not(self):
        cells = [
            of_samples(self.VALUES), of_samples(self.VALUES - 0.1, target="edge"),
            of_rounds(self.ROUNDS), of_rounds(3 * self.ROUNDS[::-1], target="edge"),
        ]  # fmt: skip
        quality, latency = across_targets(self.a_run(*cells))
        assert [term.identity.case_key for term in quality.terms] == ["student@edge/all", "student@cpu/all"]
        assert (quality.paired, quality.value) == (True, pytest.approx(-0.1))
        assert (latency.paired, latency.value) == (False, pytest.approx(3, rel=0.05))
        assert "different sessions" in latency.note

    def test_what_belongs_to_the_target_may_differ_and_nothing_else(self):
        sides = [
            of_rounds(self.ROUNDS, target=target, protocol={"environment.threads": threads, "scenario": scenario})
            for target, threads, scenario in (("cpu", 2, "offline"), ("edge", 1, "offline"), ("far", 1, "server"))
        ]
        edge, far = across_targets(self.a_run(*sides, targets=("cpu", "edge", "far")))
        assert edge.value == pytest.approx(1)
        assert "scenario is server and offline" in far.incomparable

    def test_the_first_target_that_measured_it_counts(self):
        cells = [of_samples(self.VALUES, target=target) for target in ("cpu", "edge")]
        (found,) = across_targets(self.a_run(*cells, targets=("cuda", "edge", "cpu")))
        assert [term.identity.case_key for term in found.terms] == ["student@cpu/all", "student@edge/all"]

    def test_one_target_has_nothing_to_compare(self):
        assert across_targets(self.a_run(of_samples(self.VALUES), targets=("cpu",))) == []


class TestBetweenRuns:
    VALUES = RANDOM.normal(size=50)

    def test_the_same_cells_meet(self):
        now, earlier = record(of_samples(self.VALUES + 1)), record(of_samples(self.VALUES), missing("fid"))
        (found,) = between_runs(now, earlier)
        assert [term.identity.case_key for term in found.terms] == ["student@cpu/all", "earlier:student@cpu/all"]
        assert found.value == pytest.approx(1)
        assert found.paired

    def test_other_seeds_are_not_paired(self):
        (found,) = between_runs(record(of_samples(self.VALUES)), record(of_samples(self.VALUES), seed=1))
        assert not found.paired

    def test_latencies_are_of_different_sessions(self):
        rounds = np.exp(self.VALUES[:12] / 10)
        (found,) = between_runs(record(of_rounds(rounds)), record(of_rounds(rounds)))
        assert (found.paired, found.value) == (False, pytest.approx(1))


def test_a_over_a_is_rarely_called_different():
    """Two equal students on 20 slices each: few q-values below 5 %."""
    random = np.random.default_rng(7)
    alarms = 0
    for _ in range(20):
        cells = []
        for i in range(20):
            ids = np.arange(i * 30, i * 30 + 30)
            cells += [
                of_samples(random.normal(size=30), model=model, role=model, slice=f"class={i}", ids=ids)
                for model in ("teacher", "student")
            ]
        alarms += any(c.q_value <= 0.05 for c in against_teacher(record(*cells)))
    assert alarms <= 5  # 1 expected; 6 or more happen once in a thousand times
