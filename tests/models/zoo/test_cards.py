"""The cards of class-conditional models tell what was measured, and that is what the zoo promises."""

from __future__ import annotations

import json

import pytest

from evalsuite.models.zoo import cards, checkpoint

NUMBERS = json.loads((checkpoint.WEIGHTS_DIR / "numbers.json").read_text("utf-8"))
MODELS = NUMBERS["models"]


def fid(name: str) -> float:
    value: float = MODELS[name]["fid"][0]
    return value


@pytest.mark.parametrize("name", checkpoint.names("class"))
def test_every_model_has_a_card_of_its_measured_numbers(name):
    text = checkpoint.WEIGHTS_DIR.joinpath(f"{name}.md").read_text("utf-8")
    assert text == cards.card(name, cards.FACTS[name], NUMBERS)


def test_fewer_steps_cost_quality():
    order = ["fashion-teacher", "fashion-4step", "fashion-2step", "fashion-1step"]
    assert [fid(name) for name in order] == sorted(fid(name) for name in order)
    assert MODELS["fashion-teacher"]["fid"][2] < MODELS["fashion-1step"]["fid"][1]


def test_fewer_steps_save_time():
    order = ["fashion-1step", "fashion-2step", "fashion-4step", "fashion-teacher"]
    assert [MODELS[name]["seconds_per_image"] for name in order] == sorted(
        MODELS[name]["seconds_per_image"] for name in order
    )


@pytest.mark.parametrize(
    ("student", "steps"),
    [("fashion-4step", 4), ("fashion-2step", 2), ("fashion-1step", 1), ("fashion-narrow", 4)],
)
def test_a_student_beats_its_teacher_at_the_same_number_of_steps(student, steps):
    assert MODELS[student]["fid"][2] < MODELS[f"fashion-teacher at {steps} steps"]["fid"][1]


@pytest.mark.parametrize(
    ("name", "share"), [("fashion-teacher", 1 / 5), ("fashion-4step", 1 / 3), ("fashion-1step", 2 / 3)]
)
def test_models_keep_their_distance_from_the_noisy_control(name, share):
    assert fid(name) <= share * NUMBERS["control"]["fid"][0]


def test_no_model_lies_nearer_to_the_training_set_than_held_out_images_do():
    held_out = NUMBERS["held_out"]["p1"]
    assert all(model["nearest_training_image"]["p1"] > 0.5 * held_out for model in MODELS.values())
