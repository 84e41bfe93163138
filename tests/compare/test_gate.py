"""Gates on data whose truth is known: all five tests, both directions, families, margins and outcomes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from evalsuite.compare.baseline import load_all, save
from evalsuite.compare.gate import exit_code, judge
from evalsuite.compare.power import power_of_gates
from evalsuite.compare.sides import declared_candidates
from evalsuite.records import Family, RunRecord, Verdict
from evalsuite.suite.schema import Suite
from tests.compare.inputs import measurement, missing, of_groups, of_processes, of_rounds, of_samples, record

RANDOM = np.random.default_rng(0)
BASE = RANDOM.normal(20, 3, 400)
NOISE = RANDOM.normal(0, 1, 400)


def gate(metric: str = "psnr", test: str = "non_inferiority", **fields: Any) -> dict[str, Any]:
    against = {} if test == "limit" else {"against": "teacher"}
    return {"metric": metric, "candidate": "student", "test": test, **against, **fields}


def verdict(worse_by: float, noise: float = 1.0, **fields: Any) -> Verdict:
    """A student whose mean is lower by so much than its teacher's, on the same samples."""
    student = BASE - worse_by + noise * (NOISE - NOISE.mean())
    run = record(
        of_samples(BASE, model="teacher", role="teacher"), of_samples(student), gates=[gate(**fields)]
    )  # fmt: skip
    (found,) = judge(run, {})
    return found


@pytest.mark.parametrize(
    ("test", "margin", "worse_by", "outcome"),
    [
        ("non_inferiority", {"absolute": 1}, 0.5, "pass"),
        ("non_inferiority", {"absolute": 1}, 1.5, "fail"),
        ("non_inferiority", {"absolute": 1}, 1.02, "inconclusive"),
        ("non_inferiority", {"absolute": 1}, -5, "pass"),
        ("non_inferiority", {"relative": 0.05}, 0.5, "pass"),
        ("non_inferiority", {"relative": 0.05}, 1.5, "fail"),
        ("equivalence", {"absolute": 1}, 0.5, "pass"),
        ("equivalence", {"absolute": 1}, -1.5, "fail"),
        ("equivalence", {"relative": 0.05}, 1.5, "fail"),
        ("equivalence", {"absolute": 1}, -0.98, "inconclusive"),
        ("superiority", None, -0.5, "pass"),
        ("superiority", None, 0.5, "fail"),
        ("superiority", None, 0.02, "inconclusive"),
        ("superiority", {"absolute": 1}, -0.5, "fail"),
        ("superiority", {"absolute": 1}, -1.5, "pass"),
        ("superiority", {"relative": 0.05}, -1.5, "pass"),
        ("no_regression", None, 0.02, "pass"),
        ("no_regression", None, 0.5, "fail"),
        ("no_regression", {"absolute": 1}, 0.5, "pass"),
        ("no_regression", {"absolute": 1}, 1.02, "pass"),
    ],
)
def test_a_metric_that_is_better_when_higher(test, margin, worse_by, outcome):
    found = verdict(worse_by, test=test, margin=margin)
    assert (found.outcome, found.reason) == (outcome, found.reason)
    assert found.p_fail is not None
    assert found.comparison is not None


@pytest.mark.parametrize(("worse_by", "outcome"), [(0.5, "pass"), (1.5, "fail"), (-3, "pass")])
def test_a_metric_that_is_better_when_lower(worse_by, outcome):
    cells = [
        of_samples(BASE, model="teacher", role="teacher", name="lpips", higher_is_better=False),
        of_samples(BASE + worse_by + NOISE / 10, name="lpips", higher_is_better=False),
    ]
    for margin in ({"absolute": 1}, {"relative": 0.05}):
        (found,) = judge(record(*cells, gates=[gate("lpips", margin=margin)]), {})
        assert found.outcome == outcome


def test_a_relative_margin_has_an_error_of_its_own():
    """theta_c - 1.5 theta_a is far more certain to be negative, where the two move together, than its parts are."""
    student = 1.4 * BASE
    cells = [
        of_samples(BASE, model="teacher", role="teacher", name="x", higher_is_better=False),
        of_samples(student, name="x", higher_is_better=False),
    ]
    (found,) = judge(record(*cells, gates=[gate("x", margin={"relative": 0.5})]), {})
    assert [term.coefficient for term in found.comparison.terms] == [1, -1.5]
    assert found.comparison.value == pytest.approx(-0.1 * BASE.mean())
    assert found.comparison.standard_error == pytest.approx(0.1 * BASE.std(ddof=1) / 20)
    assert found.outcome == "pass"
    assert re.search(r"against [\d.]+ dB, [\d.]+ dB less than the allowed 1.5 times that", found.reason)


def test_a_relative_margin_of_a_negative_value_is_refused():
    cells = [of_samples(BASE - 30, model="teacher", role="teacher"), of_samples(BASE - 30)]
    (found,) = judge(record(*cells, gates=[gate(margin={"relative": 0.1})]), {})
    assert found.outcome == "incomparable"
    assert "use margin: {absolute: ...}" in found.reason


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ({"min": 19}, "pass"),
        ({"min": 21}, "fail"),
        ({"min": float(np.mean(BASE))}, "inconclusive"),
        ({"max": 21}, "pass"),
        ({"min": 19, "max": 21}, "pass"),
        ({"min": 21, "max": 22}, "fail"),
    ],
)
def test_limits(limits, outcome):
    (found,) = judge(record(of_samples(BASE), gates=[gate(test="limit", **limits)]), {})
    assert found.outcome == outcome
    assert found.comparison.p_value is None


def test_a_limit_on_a_perfect_proportion_is_not_passed_by_few_samples():
    def judged(n: int) -> str:
        run = record(of_samples(np.ones(n), Family.PROPORTION), gates=[gate("class_accuracy", "limit", min=0.95)])
        return judge(run, {})[0].outcome

    assert judged(20) == "inconclusive"
    assert judged(200) == "pass"


def test_a_fid_limit_says_which_value_it_limits():
    fid = of_groups(lambda x: float(x.mean() ** 2), BASE)
    (found,) = judge(record(fid, gates=[gate("fid", "limit", max=1000)]), {})
    assert found.outcome == "pass"
    assert "the plain estimate" in found.reason


ROUNDS = RANDOM.lognormal(-3, 0.1, 16)


@pytest.mark.parametrize(
    ("test", "margin", "factor", "outcome"),
    [
        ("non_inferiority", {"ratio": 1.1}, 1.05, "pass"),
        ("non_inferiority", {"ratio": 1.1}, 1.2, "fail"),
        ("non_inferiority", {"relative": 0.1}, 1.05, "pass"),
        ("non_inferiority", {"relative": 0.1}, 1.1, "inconclusive"),
        ("superiority", {"ratio": 0.5}, 0.4, "pass"),
        ("superiority", {"ratio": 0.5}, 0.6, "fail"),
        ("superiority", None, 0.9, "pass"),
        ("superiority", {"relative": 1.0}, 0.9, "fail"),
        ("equivalence", {"ratio": 1.1}, 0.95, "pass"),
        ("equivalence", {"ratio": 0.9}, 0.85, "fail"),
        ("no_regression", None, 1.0, "pass"),
        ("no_regression", None, 1.1, "fail"),
    ],
)
def test_latency_by_rounds(test, margin, factor, outcome):
    jitter = np.exp(0.01 * np.tile([1, -1], 8))
    cells = [of_rounds(ROUNDS, model="teacher", role="teacher"), of_rounds(factor * ROUNDS * jitter)]
    (found,) = judge(record(*cells, gates=[gate("latency_p50", test, margin=margin)]), {})
    assert found.outcome == outcome


def test_a_latency_limit():
    run = record(
        of_rounds(ROUNDS), gates=[gate("latency_p50", "limit", max="80 ms"), gate("latency_p50", "limit", max=0.01)]
    )
    assert [found.outcome for found in judge(run, {})] == ["pass", "fail"]


@pytest.mark.parametrize("broken", ["teacher", "student"])
@pytest.mark.parametrize("metric", ["latency_p50", "peak_memory"])
def test_invalid_timings_decide_nothing(metric, broken):
    reasons = {broken: "rounds drift by 14 %"}
    of = of_rounds if metric == "latency_p50" else of_processes
    cells = [
        of(factor * ROUNDS, model=model, role=model, name=metric, metric=metric, invalid=reasons.get(model, ""))
        for model, factor in [("teacher", 1.0), ("student", 9.0)]
    ]
    gates = [gate(metric, "no_regression"), *([gate(metric, "limit", max=0.01)] if broken == "student" else [])]
    for found in judge(record(*cells, gates=gates), {}):
        assert found.outcome == "inconclusive"
        assert f"{metric} of {broken}@cpu/all is INVALID: rounds drift by 14 %" in found.reason


MIB = 2**20


@pytest.mark.parametrize(
    ("test", "margin", "peaks", "outcome"),
    [
        ("no_regression", None, [101, 101, 101], "pass"),  # within 2 %
        ("no_regression", None, [103, 104, 103], "fail"),
        ("no_regression", None, [101, 104, 103], "pass"),  # not all processes say so
        ("non_inferiority", {"ratio": 1.5}, [140, 141, 149], "pass"),
        ("non_inferiority", {"ratio": 1.5}, [140, 141, 160], "inconclusive"),
        ("superiority", None, [97, 97, 97], "pass"),
        ("superiority", None, [99, 99, 99], "fail"),
    ],
)
def test_memory_needs_all_processes_and_has_no_p_value(test, margin, peaks, outcome):
    teacher = of_processes(np.full(3, 100) * MIB, model="teacher", role="teacher")
    run = record(teacher, of_processes(np.array(peaks) * MIB), gates=[gate("peak_memory", test, margin=margin)])
    (found,) = judge(run, {})
    assert found.outcome == outcome
    assert found.p_fail is None


def test_a_memory_limit_is_strict():
    run = record(of_processes(np.array([99, 100, 101]) * 1e6), gates=[
        gate("peak_memory", "limit", max="101 MB"), gate("peak_memory", "limit", max="98 MB"),
        gate("peak_memory", "limit", max="100 MB"),
    ])  # fmt: skip
    verdicts = judge(run, {})
    assert [found.outcome for found in verdicts] == ["pass", "fail", "inconclusive"]
    assert verdicts[0].gate == "peak_memory of student@cpu: limit, max 101 M"


def test_an_inconclusive_gate_says_what_would_decide():
    found = verdict(0.95, margin={"absolute": 1})
    assert found.outcome == "inconclusive"
    assert "samples would decide, not 400" in found.reason
    on_the_margin = verdict(1.0, margin={"absolute": 1})
    assert "too close" in on_the_margin.reason


def test_a_pass_of_no_regression_says_what_would_have_been_found():
    assert "would have been found in 4 of 5 runs" in verdict(0.0, test="no_regression").reason


def test_wildcards_judge_every_student_and_holm_counts_them():
    cells = [of_samples(BASE, model="teacher", role="teacher")]
    cells += [of_samples(BASE - 0.14 + NOISE - NOISE.mean(), model=name) for name in ("student", "other")]
    one = judge(record(*cells, gates=[gate(test="no_regression")]), {})
    all_of_them = judge(record(*cells, gates=[gate(test="no_regression") | {"candidate": "*"}]), {})
    assert [found.outcome for found in one] == ["fail"]
    assert len(all_of_them) == 2
    assert all_of_them[0].p_fail == pytest.approx(2 * one[0].p_fail)


def test_a_gate_is_about_the_targets_of_its_metric() -> None:
    limit = {"metric": "fid", "candidate": "student", "test": "limit", "max": 1}
    suite = Suite.model_validate(record(of_samples(BASE), gates=[limit]).suite)
    both = suite.model_copy(update={"targets": dict.fromkeys(("edge", "server"), suite.targets["cpu"])})
    assert declared_candidates(both.gates[0], both) == ["student@edge", "student@server"]
    fid = suite.metrics[0].model_copy(update={"targets": ["edge"]})
    assert declared_candidates(both.gates[0], both.model_copy(update={"metrics": [fid]})) == ["student@edge"]


class TestWorstSlice:
    @staticmethod
    def run(*worse_by: float, extra: Any = ()) -> RunRecord:
        cells = list(extra)
        for label, loss in enumerate(worse_by):
            at = {"slice": f"class={label}"}
            cells += [
                of_samples(BASE, model="teacher", role="teacher", **at),
                of_samples(BASE - loss + NOISE / 5, **at),
            ]
        return record(*cells, gates=[gate(slice="worst", margin={"absolute": 1})])

    def test_one_bad_slice_fails(self):
        (found,) = judge(self.run(0, 0, 2), {})
        assert found.outcome == "fail"
        assert "class=2, the worst of 3 slices" in found.reason

    def test_every_slice_must_pass(self):
        assert judge(self.run(0, 0, 0), {})[0].outcome == "pass"
        assert judge(self.run(0, 0, 1), {})[0].outcome == "inconclusive"

    def test_skipped_slices_are_left_out_and_failed_ones_are_not(self):
        skipped = missing("psnr", slice="guidance=2", kind="skipped")
        failed = missing("psnr", slice="guidance=2", kind="failed")
        assert judge(self.run(0, 0, extra=[skipped]), {})[0].outcome == "pass"
        assert judge(self.run(0, 0, extra=[failed]), {})[0].outcome == "missing"
        assert judge(self.run(extra=[skipped]), {})[0].outcome == "missing"


class TestGaps:
    def test_a_missing_cell_is_named_with_its_reason(self):
        run = record(
            of_samples(BASE, model="teacher", role="teacher"), missing("psnr"), gates=[gate(test="no_regression")]
        )
        (found,) = judge(run, {})
        assert found.outcome == "missing"
        assert "it crashed" in found.reason
        assert exit_code(run, [found]) == 4

    def test_a_metric_of_several_values_that_failed_as_a_whole(self):
        run = record(missing("latency"), gates=[gate("latency_p50", "limit", max=1)])
        assert "it crashed" in judge(run, {})[0].reason

    def test_a_teacher_that_was_not_measured(self):
        (found,) = judge(record(of_samples(BASE), gates=[gate(test="no_regression")]), {})
        assert found.outcome == "missing"

    def test_different_protocols(self):
        teacher = of_samples(BASE, model="teacher", role="teacher", protocol={"k": 5})
        (found,) = judge(record(teacher, of_samples(BASE, protocol={"k": 3}), gates=[gate(test="no_regression")]), {})
        assert found.outcome == "incomparable"
        assert "k is 3 and 5" in found.reason

    def test_likeness_to_the_teacher_is_not_compared_with_the_teacher(self):
        psnr = of_samples(BASE).model_copy(update={"against": "teacher@cpu/all"})
        (found,) = judge(record(psnr, gates=[gate(test="no_regression")]), {})
        assert (found.outcome, "use test: limit" in found.reason) == ("missing", True)

    def test_a_run_of_part_of_the_suite_judges_that_part(self):
        assert judge(record(of_samples(BASE, model="other"), gates=[gate(test="limit", min=1)]), {}) == []


class TestBaseline:
    GATE = gate(test="no_regression") | {"against": "baseline:main"}

    def test_the_comparison_is_paired(self, tmp_path):
        save(record(of_samples(BASE)), "main", tmp_path)
        run = record(of_samples(BASE - 0.05 * NOISE**2), gates=[self.GATE])
        (found,) = judge(run, load_all("small", tmp_path))
        assert (found.outcome, found.comparison.paired) == ("fail", True)
        assert found.comparison.terms[1].identity.case_key == "baseline:main:student@cpu/all"

    def test_other_seeds_are_not_paired(self, tmp_path):
        save(record(of_samples(BASE), seed=1), "main", tmp_path)
        (found,) = judge(record(of_samples(BASE), gates=[self.GATE]), load_all("small", tmp_path))
        assert (found.outcome, found.comparison.paired) == ("pass", False)

    def test_latencies_of_another_session_are_not_paired(self, tmp_path):
        save(record(of_rounds(ROUNDS)), "main", tmp_path)
        run = record(of_rounds(2 * ROUNDS), gates=[self.GATE | {"metric": "latency_p50"}])
        (found,) = judge(run, load_all("small", tmp_path))
        assert (found.outcome, found.comparison.paired) == ("fail", False)
        assert "different sessions" in found.comparison.note

    def test_there_is_none(self):
        (found,) = judge(record(of_samples(BASE), gates=[self.GATE]), {})
        assert found.outcome == "missing"
        assert "there is no baseline 'main'; make one with evalsuite baseline save RUN --name main" in found.reason

    def test_its_name_is_misspelt(self, tmp_path):
        run = record(of_samples(BASE), gates=[self.GATE | {"against": "baseline:mian"}])
        save(run, "main", tmp_path)
        kept = load_all("small", tmp_path)
        said = (
            "there is no baseline 'mian'; did you mean 'main'? Or make one with evalsuite baseline save RUN --name mian"
        )
        assert said in judge(run, kept)[0].reason
        (planned,) = power_of_gates(Suite.model_validate(run.suite), {"run": run}, kept)
        assert planned.unknown == said


@pytest.mark.parametrize(
    ("outcomes", "failed", "code"),
    [
        ([], False, 0),
        (["pass"], False, 0),
        (["pass", "inconclusive"], False, 3),
        (["inconclusive", "missing"], False, 4),
        (["incomparable"], False, 4),
        (["missing", "fail", "inconclusive"], True, 1),
        (["inconclusive"], True, 4),
        ([], True, 4),
    ],
)
def test_exit_codes(outcomes, failed, code):
    verdicts = [Verdict(gate="g", outcome=outcome, reason="r") for outcome in outcomes]
    kinds = ["skipped", "unavailable", *(["failed"] if failed else [])]
    run = record(*(missing("fid", slice=str(i), kind=kind) for i, kind in enumerate(kinds)))
    assert exit_code(run, verdicts) == code


@pytest.mark.parametrize("family", [Family.MEAN, Family.FRECHET, Family.LATENCY])
def test_gates_at_the_edge_of_the_truth_rarely_fail(family):
    """Candidates exactly as good as the teacher: a one-sided test at 1 % must not reject more often than that."""
    random = np.random.default_rng(5)
    fails = 0
    for _ in range(150):
        shared = random.normal(size=(2, 200))
        if family == Family.FRECHET:
            cells = [of_groups(lambda x: float(x.mean() ** 2 + x.var()), values) for values in shared]
        elif family == Family.LATENCY:
            cells = [of_rounds(np.exp(0.1 * values[:16])) for values in shared]
        else:
            cells = [of_samples(values) for values in shared]
        teacher = cells[0].model_copy(update={"model": "teacher", "role": "teacher", "case_key": "teacher@cpu/all"})
        run = record(teacher, cells[1], gates=[gate(cells[1].name, "no_regression")])
        fails += judge(run, {})[0].outcome == "fail"
    assert fails <= 6  # 1.5 expected; 7 or more happen once in a thousand times


@pytest.mark.parametrize("fields", [{"test": "limit", "max": 9}, {"test": "no_regression"}])
def test_too_few_groups_decide_nothing(fields):
    few = measurement(Family.FRECHET, 3.0, replicates=[3.0] * 5, group_sizes=[10] * 5)
    teacher = few.model_copy(update={"model": "teacher", "role": "teacher", "case_key": "teacher@cpu/all"})
    (found,) = judge(record(few, teacher, gates=[gate("fid", **fields)]), {})
    assert found.outcome == "inconclusive"
    assert "it needs 10 groups of samples, has 5" in found.reason
