"""What gates can decide: against simulated runs, and from which source it is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalsuite.compare.baseline import load_all, save
from evalsuite.compare.gate import judge
from evalsuite.compare.power import power_of_gates
from evalsuite.records import RunRecord
from evalsuite.suite.schema import Suite
from tests.compare.inputs import of_groups, of_processes, of_rounds, of_samples, record

N = 100


def run(worse_by: float = 0.0, seed: int = 0, n: int = N, **gate: Any) -> RunRecord:
    """Teacher and student whose paired differences have a standard deviation of 1."""
    random = np.random.default_rng(seed)
    teacher = random.normal(20, 3, n)
    student = teacher - worse_by + random.normal(0, 1, n)
    spec = {"metric": "psnr", "candidate": "student", "against": "teacher", **gate}
    return record(of_samples(teacher, model="teacher", role="teacher"), of_samples(student), gates=[spec])


def power_of(earlier: RunRecord, **sampling: int):
    content = earlier.suite | {"sampling": {**earlier.suite["sampling"], **sampling}}
    (found,) = power_of_gates(Suite.model_validate(content), {"earlier": earlier}, {})
    return found


@pytest.mark.parametrize("test", ["non_inferiority", "equivalence"])
def test_a_margin_as_large_as_the_effect_is_passed_in_four_of_five_runs(test):
    effects = [power_of(run(seed=seed, test=test, margin={"absolute": 1})).effect for seed in range(20)]
    gate = {"test": test, "margin": {"absolute": np.mean(effects)}}
    outcomes = [judge(run(seed=seed, **gate), {})[0].outcome for seed in range(1, 301)]
    assert outcomes.count("pass") / len(outcomes) == pytest.approx(0.8, abs=0.08)


def test_a_regression_as_large_as_the_effect_fails_in_four_of_five_runs():
    effect = np.mean([power_of(run(seed=seed, test="no_regression")).effect for seed in range(20)])
    outcomes = [judge(run(effect, seed=seed, test="no_regression"), {})[0].outcome for seed in range(1, 301)]
    assert outcomes.count("fail") / len(outcomes) == pytest.approx(0.8, abs=0.08)


def test_the_samples_needed_make_the_margin_decidable():
    gate = {"test": "non_inferiority", "margin": {"absolute": 0.1}}
    few = power_of(run(**gate))
    assert (few.decidable, few.room) == (False, 0.1)
    many = power_of(run(**gate), num_samples=few.needed)
    assert many.decidable
    assert many.effect == pytest.approx(0.1, rel=0.05)
    assert many.effect == pytest.approx(few.effect * np.sqrt(N / few.needed))


def test_a_relative_margin_leaves_its_share_of_the_other_value():
    found = power_of(run(test="non_inferiority", margin={"relative": 0.1}))
    assert found.room == pytest.approx(2, rel=0.1)
    assert (found.scale, found.unit, found.source) == ("difference", "dB", "earlier")


def test_a_limit_is_weighed_from_the_value_last_seen():
    earlier = run(test="no_regression")
    gates = [{"metric": "psnr", "candidate": "student", "test": "limit", "min": 18.5}]
    found = power_of(earlier.model_copy(update={"suite": earlier.suite | {"gates": gates}}))
    assert found.room == pytest.approx(1.5, abs=0.5)
    assert found.effect == pytest.approx(2.5 * 3 / 10, rel=0.25)


def test_latencies_are_weighed_as_ratios_and_more_samples_do_not_help():
    rounds = np.random.default_rng(0).lognormal(-3, 0.05, 24)
    jitter = np.exp(np.random.default_rng(1).normal(0, 0.05, 24))
    gate = {"metric": "latency_p50", "candidate": "student", "against": "teacher", "test": "superiority",
            "margin": {"ratio": 2}}  # fmt: skip
    earlier = record(of_rounds(rounds, model="teacher", role="teacher"), of_rounds(rounds / 3 * jitter), gates=[gate])
    found = power_of(earlier)
    assert (found.scale, found.room) == ("ratio", pytest.approx(2))
    assert 1 < found.effect < 1.1
    assert power_of(earlier, num_samples=10_000).effect == found.effect


def test_memory_has_no_error():
    gate = {"metric": "peak_memory", "candidate": "student", "test": "limit", "max": 2e8}
    found = power_of(record(of_processes([1e8] * 3), gates=[gate]))
    assert (found.effect, found.unknown) == (None, "it has no error: all processes have to agree")


class TestSources:
    GATE = {"test": "non_inferiority", "margin": {"absolute": 0.5}}  # noqa: RUF012

    def test_a_baseline_where_there_is_no_run(self, tmp_path):
        earlier = run(**self.GATE)
        save(earlier, "main", tmp_path)
        (found,) = power_of_gates(Suite.model_validate(earlier.suite), {}, load_all("small", tmp_path))
        assert found.source == "baseline:main"
        assert found.effect == pytest.approx(power_of(earlier).effect)

    def test_none(self):
        earlier = run(**self.GATE)
        (found,) = power_of_gates(Suite.model_validate(earlier.suite), {}, {})
        assert (found.effect, found.decidable, found.source) == (None, None, "")
        assert "no earlier run" in found.unknown

    @pytest.mark.parametrize("family", ["psnr", "fid"])
    def test_the_same_images_say_nothing_of_a_model_that_has_changed(self, family, tmp_path):
        values = np.random.default_rng(0).normal(20, 3, N)

        def ran(change: float) -> RunRecord:
            gate = {"metric": family, "candidate": "student", "against": "baseline:main", "test": "no_regression"}
            moved = values + change * np.random.default_rng(1).normal(0, 1, N)
            cell = of_samples(moved) if family == "psnr" else of_groups(np.mean, moved)
            return record(cell, gates=[gate])

        unchanged = ran(0)
        save(unchanged, "main", tmp_path)
        suite, kept = Suite.model_validate(unchanged.suite), load_all("small", tmp_path)
        (found,) = power_of_gates(suite, {"latest": unchanged}, kept)
        assert (found.effect, found.source) == (None, "")
        assert found.unknown == "what is known has the same images on both sides"
        (found,) = power_of_gates(suite, {"latest": unchanged, "earlier": ran(0.1)}, kept)
        assert found.source == "earlier"
        assert found.effect > 0
        (verdict,) = judge(unchanged, kept)
        assert verdict.reason.endswith("it is not shown to be worse; its images are the same.")

    def test_a_run_of_another_model_says_nothing(self):
        earlier = run(**self.GATE)
        models = {**earlier.suite["models"], "student": {"role": "student", "adapter": "image_folder", "settings": {}}}
        (found,) = power_of_gates(Suite.model_validate(earlier.suite | {"models": models}), {"earlier": earlier}, {})
        assert found.effect is None
