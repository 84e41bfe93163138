"""Looks: shares that add up, and gates that keep their rates however often they are judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalsuite.compare.gate import exit_code, judge, wants_more
from evalsuite.compare.looks import Look, look_of, looks_of
from evalsuite.compare.power import power_of_gates
from evalsuite.records import RunRecord, Verdict
from evalsuite.suite.schema import Suite
from tests.compare.inputs import missing, of_rounds, of_samples, record

STAGES = [100, 200, 400]


def run(seed: int = 0, n: int = STAGES[0], worse_by: float = 0.0, **suite: Any) -> RunRecord:
    """Teacher and student whose paired differences have a standard deviation of 1; more samples begin like fewer."""
    random = np.random.default_rng(seed)
    teacher = random.normal(20, 3, STAGES[-1])
    student = teacher - worse_by + random.normal(0, 1, STAGES[-1])
    gate = {"metric": "psnr", "candidate": "student", "against": "teacher", "test": "non_inferiority"}
    cells = [of_samples(teacher[:n], model="teacher", role="teacher"), of_samples(student[:n])]
    made = record(*cells, gates=[{**gate, "margin": {"absolute": suite.pop("margin", 0.3)}}])
    sampling = {**made.suite["sampling"], "num_samples": n}
    extending = {"on_inconclusive": "extend", "stages": STAGES, "sampling": sampling, **suite}
    return made.model_copy(update={"suite": Suite.model_validate({**made.suite, **extending}).model_dump(mode="json")})


def judged(**fields: Any) -> tuple[RunRecord, Verdict]:
    made = run(**fields)
    (verdict,) = judge(made, {})
    return made, verdict


def suite_of(made: RunRecord) -> Suite:
    return Suite.model_validate(made.suite)


def test_the_shares_of_all_looks_add_up_to_one() -> None:
    looks = looks_of(suite_of(run()))
    assert looks == [Look(1, 3, 100, 0.25), Look(2, 3, 200, 0.25), Look(3, 3, 400, 0.5)]
    assert sum(look.share for look in looks) == 1


def test_a_number_of_samples_that_was_not_declared_is_looked_at_once() -> None:
    assert look_of(suite_of(run(n=300))) == Look(1, 1, 300, 1.0)
    assert look_of(suite_of(run(n=200))).number == 2


def test_a_suite_that_does_not_extend_has_one_look() -> None:
    plain = suite_of(run(on_inconclusive="fail", stages=[]))
    assert looks_of(plain) == [look_of(plain)] == [Look(1, 1, 100, 1.0)]


def test_an_open_gate_wants_the_next_look_until_the_last() -> None:
    for n, following in ((100, 200), (200, 400)):
        made, verdict = judged(worse_by=0.3, n=n)
        assert verdict.outcome == "inconclusive"
        look = wants_more(made, [verdict])
        assert look is not None
        assert look.num_samples == following
    made, verdict = judged(worse_by=0.3, n=400)
    assert wants_more(made, [verdict]) is None


@pytest.mark.parametrize("worse_by", [-0.5, 1.0])
def test_a_decided_gate_wants_no_more(worse_by: float) -> None:
    made, verdict = judged(worse_by=worse_by)
    assert verdict.outcome in ("pass", "fail")
    assert wants_more(made, [verdict]) is None


def test_more_samples_do_not_bring_a_missing_number() -> None:
    made = run()
    gone = made.model_copy(update={"measurements": made.measurements[:1], "missing": [missing("psnr")]})
    assert wants_more(gone, judge(gone, {})) is None


def test_more_samples_do_not_decide_about_timings() -> None:
    made = run()
    rounds = np.random.default_rng(0).lognormal(-3, 0.1, 16)
    timed = [of_rounds(rounds, model="teacher", role="teacher"), of_rounds(rounds[::-1])]
    gate = {**made.suite["gates"][0], "metric": timed[0].name, "margin": {"ratio": 1.0001}}
    suite = Suite.model_validate({**made.suite, "gates": [gate]}).model_dump(mode="json")
    open_gate = made.model_copy(update={"suite": suite, "measurements": [*made.measurements, *timed]})
    verdicts = judge(open_gate, {})
    assert [verdict.outcome for verdict in verdicts] == ["inconclusive"]
    assert wants_more(open_gate, verdicts) is None


def test_a_look_may_spend_its_share_only() -> None:
    """The same numbers pass at 5 % and are open at the first of three looks, which has a quarter of it."""
    open_ones = 0
    for seed in range(40):
        _, early = judged(seed=seed, margin=0.19)
        _, whole = judged(seed=seed, margin=0.19, on_inconclusive="fail", stages=[])
        assert (early.p_pass, early.p_fail) == (whole.p_pass, whole.p_fail)
        assert early.outcome == ("pass" if (early.p_pass or 0) <= 0.0125 else "inconclusive")
        open_ones += whole.outcome == "pass" and early.outcome == "inconclusive"
    assert open_ones > 5


def test_the_reason_says_which_look_it_was() -> None:
    assert judged(n=200)[1].reason.endswith("Look 2 of 3, at 200 samples.")
    assert "Look" not in judged(on_inconclusive="fail", stages=[])[1].reason


def test_all_looks_together_keep_the_rate_of_false_passes() -> None:
    """A student that is worse by exactly the margin passes at any of three looks in at most 5 % of the runs; judging
    each look at the full level would let about twice as many pass."""

    def passes(seed: int, **suite: Any) -> bool:
        outcomes = [judged(seed=seed, n=n, worse_by=0.3, **suite)[1].outcome for n in STAGES]
        return "pass" in outcomes

    runs = range(600)
    spent = np.mean([passes(seed) for seed in runs])
    unspent = np.mean([passes(seed, on_inconclusive="fail", stages=[]) for seed in runs])
    assert spent <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(runs))
    assert unspent > 0.08


@pytest.mark.parametrize(("policy", "code"), [("fail", 3), ("warn", 0), ("extend", 3)])
def test_what_an_open_gate_means_for_the_exit_code(policy: str, code: int) -> None:
    made, verdict = judged(worse_by=0.3, on_inconclusive=policy, stages=STAGES if policy == "extend" else [])
    assert verdict.outcome == "inconclusive"
    assert exit_code(made, [verdict]) == code


def test_power_is_that_of_the_last_look() -> None:
    made = run()
    (found,) = power_of_gates(suite_of(made), {"earlier": made}, {})
    (at_once,) = power_of_gates(suite_of(run(on_inconclusive="fail", stages=[])), {"earlier": made}, {})
    assert found.effect is not None
    assert at_once.effect is not None
    # Four times the samples halve the effect; half of the level takes a part of it back.
    assert 0.5 < found.effect / at_once.effect < 0.6
