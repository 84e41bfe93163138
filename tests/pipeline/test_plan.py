"""The plan: which cases there are, what their keys cover, and what is known beforehand not to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite.errors import UsageError
from evalsuite.pipeline.cells import cells_of
from evalsuite.pipeline.plan import make_plan, with_profile, with_samples
from evalsuite.records import Case, Plan
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import METRICS, model, suite_of

CLASSES = {"kind": "attribute", "settings": {"by": "class"}}
STRONGER = {"kind": "latent", "settings": {"scale": [1.1]}}


def plan_of(suite: Suite, **options: Any) -> Plan:
    return make_plan(suite, allow_code=True, **options)


def zoo(**settings: Any) -> dict[str, Any]:
    return {"role": "teacher", "adapter": "zoo", "settings": {"name": "fashion-teacher", **settings}}


def case_of(suite: Suite, key: str) -> Case:
    return next(case for case in plan_of(suite).cases if case.key == key)


def test_every_model_on_every_target_teacher_first(tmp_path: Path) -> None:
    suite = suite_of(
        {"student": model(tmp_path, "near"), "teacher": model(tmp_path, "good", "teacher")},
        targets={name: {"device": "cpu", "settings": {"threads": 1}} for name in ("one", "two")},
    )
    plan = plan_of(suite)
    assert [case.key for case in plan.cases] == [
        "teacher@one/all",
        "teacher@two/all",
        "student@one/all",
        "student@two/all",
    ]
    assert plan.suite_hash == suite.suite_hash
    assert not plan.missing
    assert plan.cases[0].sample_ids.tolist() == list(range(40))


def test_a_model_runs_on_its_targets_alone(tmp_path: Path) -> None:
    large = {**model(tmp_path, "good", "teacher"), "targets": ["server"]}
    suite = suite_of(
        {"teacher": large, "student": model(tmp_path, "near")},
        targets={name: {"device": "cpu"} for name in ("server", "edge")},
    )
    keys = [case.key for case in plan_of(suite).cases]
    assert keys == ["teacher@server/all", "student@server/all", "student@edge/all"]


def test_a_subset_shares_the_samples_of_the_whole(tmp_path: Path) -> None:
    plan = plan_of(suite_of({"m": model(tmp_path, "good")}, slices=[CLASSES]))
    whole, *parts = plan.cases
    assert len(parts) == 10
    assert {part.samples_key for part in parts} == {whole.samples_key}
    assert {part.parent for part in parts} == {whole.key}
    assert np.array_equal(np.sort(np.concatenate([part.sample_ids for part in parts])), whole.sample_ids)
    sneaker = next(part for part in parts if part.slice == "class=sneaker")
    assert sneaker.sample_ids.tolist() == [7, 17, 27, 37]


def test_a_variation_has_samples_of_its_own(tmp_path: Path) -> None:
    plan = plan_of(suite_of({"m": model(tmp_path, "Noisy", noise=True)}, slices=[STRONGER]))
    whole, stronger = plan.cases
    assert stronger.key == "m@cpu/latent.scale=1.1"
    assert stronger.samples_key != whole.samples_key
    assert (stronger.parent, stronger.noise.scale, whole.noise.scale) == (None, 1.1, 1.0)


def test_a_slice_that_the_model_cannot_do_is_skipped(tmp_path: Path) -> None:
    plan = plan_of(suite_of({"m": model(tmp_path, "good")}, slices=[STRONGER]))
    assert [case.slice for case in plan.cases] == ["all"]
    assert {(gap.kind, gap.slice) for gap in plan.missing} == {("skipped", "latent.scale=1.1")}
    assert "initial noise cannot be changed" in plan.missing[0].reason
    assert {gap.name for gap in plan.missing} == {metric["name"] for metric in METRICS}


def test_guidance_of_a_student_without_it_is_skipped() -> None:
    suite = suite_of(
        {"teacher": zoo(), "student": {"role": "student", "adapter": "zoo", "settings": {"name": "fashion-4step"}}},
        slices=[{"kind": "guidance", "settings": {"scale": [2.5]}}],
    )
    plan = make_plan(suite)
    assert [case.key for case in plan.cases if case.slice != "all"] == ["teacher@cpu/guidance=2.5"]
    assert {gap.case_key for gap in plan.missing} == {"student@cpu/guidance=2.5"}
    assert all("guidance_scale" in gap.reason and gap.kind == "skipped" for gap in plan.missing)


def test_classes_of_a_model_without_them_are_skipped(tmp_path: Path) -> None:
    plan = plan_of(suite_of({"m": model(tmp_path, "good", condition="none")}, slices=[CLASSES]))
    assert len(plan.cases) == 1
    assert {gap.slice for gap in plan.missing} >= {"class=sneaker", "class=bag"}
    assert {gap.reason for gap in plan.missing} == {"m cannot be asked for classes"}


def test_a_target_that_the_machine_lacks_is_unavailable(tmp_path: Path) -> None:
    targets = {"big": {"device": "cpu", "settings": {"threads": 4096}}, "cpu": {"device": "cpu"}}
    plan = plan_of(suite_of({"m": model(tmp_path, "good")}, targets=targets, slices=[CLASSES]))
    assert {case.target for case in plan.cases} == {"cpu"}
    assert {(gap.kind, gap.target) for gap in plan.missing} == {("unavailable", "big")}
    assert {gap.slice for gap in plan.missing} == {case.slice for case in plan.cases}
    assert "4096 threads" in plan.missing[0].reason


def test_a_model_that_cannot_be_found_fails_alone(tmp_path: Path) -> None:
    lost = {"role": "student", "adapter": "image_folder", "settings": {"path": str(tmp_path / "nowhere")}}
    plan = plan_of(suite_of({"lost": lost, "good": model(tmp_path, "good")}))
    assert [case.model for case in plan.cases] == ["good"]
    assert {(gap.model, gap.kind) for gap in plan.missing} == {("lost", "failed")}


def test_a_folder_with_too_few_images_fails(tmp_path: Path) -> None:
    np.savez(tmp_path / "few.npz", images=np.zeros((5, 1, 28, 28), np.uint8))
    few = {"role": "student", "adapter": "image_folder", "settings": {"path": str(tmp_path / "few.npz")}}
    plan = make_plan(suite_of({"few": few}))
    assert {gap.reason for gap in plan.missing} == {"it has 5 samples, the suite asks for 40"}


def test_the_users_code_needs_permission(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"model 'm'.*--allow-code"):
        make_plan(suite_of({"m": model(tmp_path, "good")}))


def test_a_metric_has_cells_on_its_targets_alone(tmp_path: Path) -> None:
    suite = suite_of(
        {"m": model(tmp_path, "good")},
        targets={name: {"device": "cpu"} for name in ("server", "edge")},
        metrics=[{"name": "fid", "metric": "fid"}, {"name": "rgb", "metric": "fid", "targets": ["edge"]}],
    )
    cells = [(cell.spec.name, cell.case.target) for cell in cells_of(suite, plan_of(suite).cases)]
    assert cells == [("fid", "server"), ("fid", "edge"), ("rgb", "edge")]


def test_only_chooses_cells_and_always_the_whole(tmp_path: Path) -> None:
    models = {"teacher": model(tmp_path, "good", "teacher"), "student-a": model(tmp_path, "near")}
    suite = suite_of(models, slices=[CLASSES])
    only = plan_of(suite, only={"model": ["student-*"], "slice": ["class=s*"]})
    assert [case.key for case in only.cases] == [
        "student-a@cpu/all",
        "student-a@cpu/class=sandal",
        "student-a@cpu/class=shirt",
        "student-a@cpu/class=sneaker",
    ]


def test_only_that_matches_nothing(tmp_path: Path) -> None:
    suite = suite_of({"m": model(tmp_path, "good")})
    with pytest.raises(UsageError, match="nothing is left to run"):
        plan_of(suite, only={"model": ["x"]})
    with pytest.raises(UsageError, match=r"by 'modle'; did you mean 'model'\?"):
        plan_of(suite, only={"modle": ["m"]})


def test_samples_replaces_the_suites_number(tmp_path: Path) -> None:
    suite = suite_of({"m": model(tmp_path, "good")})
    assert with_samples(suite, None) is suite
    fewer = with_samples(suite, 7)
    assert len(plan_of(fewer).cases[0].sample_ids) == 7
    assert fewer.suite_hash != suite.suite_hash
    with pytest.raises(UsageError, match="expected at least 1"):
        with_samples(suite, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"sampling": {"num_samples": 40, "seed": 1}},
        {"targets": {"cpu": {"device": "cpu", "settings": {"threads": 1, "batch_size": 8}}}},
        {"targets": {"cpu": {"device": "cpu", "settings": {"threads": 1, "dtype": "bfloat16"}}}},
        {"task": "unconditional"},
        {"models": {"m": zoo(num_steps=8)}},
        {"models": {"m": zoo(guidance_scale=3.0)}},
    ],
    ids=["seed", "batch size", "dtype", "task", "steps", "guidance"],
)
def test_the_samples_key_covers_what_changes_pixels(changed: dict[str, Any]) -> None:
    base = case_of(suite_of({"m": zoo()}), "m@cpu/all").samples_key
    assert case_of(suite_of(**{"models": {"m": zoo()}, **changed}), "m@cpu/all").samples_key != base


@pytest.mark.parametrize(
    "changed",
    [
        {"num_samples": 17},
        {"metrics": METRICS[:1]},
        {"slices": [CLASSES, STRONGER]},
        {"suite": "other"},
        {"gates": [{"metric": "fid", "candidate": "m", "test": "limit", "max": 3}]},
    ],
    ids=["samples", "metrics", "slices", "name", "gates"],
)
def test_the_samples_key_covers_nothing_else(changed: dict[str, Any]) -> None:
    base = case_of(suite_of({"m": zoo()}), "m@cpu/all").samples_key
    assert case_of(suite_of({"m": zoo()}, **changed), "m@cpu/all").samples_key == base


def test_a_models_name_is_not_trusted(tmp_path: Path) -> None:
    one = suite_of({"m": model(tmp_path, "good")})
    two = suite_of({"n": model(tmp_path, "good")})
    other = suite_of({"m": model(tmp_path, "near")})
    keys = [plan_of(suite).cases[0].samples_key for suite in (one, two, other)]
    assert keys[0] == keys[1] != keys[2]


def test_a_model_without_a_fingerprint_never_has_the_same_key(tmp_path: Path) -> None:
    suite = suite_of({"m": model(tmp_path, "good", version=None)})
    assert plan_of(suite).cases[0].samples_key != plan_of(suite).cases[0].samples_key


def test_the_suites_profile_may_be_replaced(tmp_path: Path) -> None:
    suite = suite_of({"m": model(tmp_path, "good")}, profile="ci")
    assert with_profile(suite, None).profile == "ci"
    assert with_profile(suite, "strict").profile == "strict"
    assert with_profile(suite, "strict").suite_hash == suite.suite_hash
