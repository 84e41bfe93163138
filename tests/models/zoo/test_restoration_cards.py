"""The cards of restoration models tell what was measured, and what was measured is what the zoo promises."""

from __future__ import annotations

import json

import pytest

from evalsuite.models.zoo import checkpoint, restoration_cards
from tests.conftest import ROOT

NUMBERS = json.loads((checkpoint.WEIGHTS_DIR / "restoration.json").read_text("utf-8"))
MODELS = NUMBERS["models"]
LOWER_IS_BETTER = ("fid", "error")


def better(first: str, second: str, metric: str) -> bool:
    """Whether the intervals of the two do not even touch."""
    (_, low, high), (_, other_low, other_high) = MODELS[first][metric], MODELS[second][metric]
    return bool(high < other_low if metric in LOWER_IS_BETTER else low > other_high)


@pytest.mark.parametrize("name", checkpoint.names("image"))
def test_every_model_has_a_card_of_its_measured_numbers(name):
    text = checkpoint.WEIGHTS_DIR.joinpath(f"{name}.md").read_text("utf-8")
    assert text == restoration_cards.card(name, restoration_cards.FACTS[name], NUMBERS)


def test_the_page_shows_the_same_numbers():
    page = (ROOT / "docs" / "zoo.md").read_text("utf-8")
    assert restoration_cards.table("restore-teacher", NUMBERS) in page


@pytest.mark.parametrize("metric", ["psnr", "ssim", "fid", "class_accuracy"])
@pytest.mark.parametrize("name", ["restore-teacher", "restore-4step", "restore-1step"])
def test_every_diffusion_model_beats_bicubic_enlargement(name, metric):
    assert better(name, "bicubic enlargement", metric)


@pytest.mark.parametrize("metric", ["psnr", "fid"])
def test_regression_is_the_stronger_baseline(metric):
    assert better("restore-cnn", "bicubic enlargement", metric)


def test_psnr_reverses_the_ranking():
    assert better("restore-teacher at 1 steps", "restore-teacher", "psnr")
    assert better("restore-teacher", "restore-teacher at 1 steps", "fid")


def test_one_step_beats_its_undistilled_teacher_and_the_regression():
    assert better("restore-1step", "restore-teacher at 1 steps", "fid")
    assert better("restore-1step", "restore-cnn", "fid")
    assert better("restore-1step", "restore-cnn", "class_accuracy")
    _, low, _ = NUMBERS["accuracy_gain"]
    assert low > 0


def test_four_steps_keep_the_diversity_that_the_undistilled_teacher_loses():
    assert better("restore-4step", "restore-teacher at 4 steps", "diversity")


def test_the_teacher_s_samples_differ_as_draws_from_the_posterior_would():
    diversity, error = (MODELS["restore-teacher"][key][0] for key in ("diversity", "error"))
    assert diversity == pytest.approx(error, rel=0.1)


def test_students_have_not_collapsed_and_baselines_have():
    teacher = MODELS["restore-teacher"]["diversity"][0]
    assert all(MODELS[name]["diversity"][0] > 0.8 * teacher for name in ("restore-4step", "restore-1step"))
    assert all(MODELS[name]["diversity"][0] == 0 for name in ("restore-cnn", "bicubic enlargement"))
    assert MODELS["restore-teacher at 1 steps"]["diversity"][0] < 0.1 * teacher
