"""Adversarial slices in a run of bundled models: searched for once, kept, and given to all models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite.errors import CellError, Failed
from evalsuite.executors.local import Local
from evalsuite.pipeline.changes import ROOM, changed
from evalsuite.pipeline.conditions import conditions_of
from evalsuite.pipeline.events import Event
from evalsuite.pipeline.generate import Samples, generate
from evalsuite.pipeline.plan import make_plan
from evalsuite.pipeline.searching import search
from evalsuite.records import Plan
from evalsuite.store import Store
from evalsuite.suite.schema import Suite

IMAGE, NUM = "adversarial.cnn=8", 6


def suite(*slices: dict[str, Any], **more: Any) -> Suite:
    models = {
        "cnn": {"role": "student", "adapter": "zoo", "settings": {"name": "restore-cnn"}},
        "bicubic": {"role": "teacher", "adapter": "identity"},
    }
    content = {
        "suite": "attacked",
        "task": "image_to_image",
        "inputs": {"dataset": "low-resolution", "settings": {"of": "fashion-mnist", "first": NUM}},
        "sampling": {"num_samples": NUM},
        "models": models,
        "targets": {"cpu": {"device": "cpu", "settings": {"batch_size": 4}}},
        "metrics": [{"name": "psnr", "metric": "psnr"}],
        "slices": list(slices),
    }
    return Suite.model_validate(content | more)


def adversarial(**settings: Any) -> dict[str, Any]:
    return {"kind": "adversarial", "settings": {"against": ["cnn"], "budget": [8], "steps": 3, **settings}}


class Run:
    """What a search and generation left."""

    def __init__(self, suite: Suite, folder: Path) -> None:
        self.store, self.events = Store(folder / "cache"), list[Event]()
        self.plan: Plan = make_plan(suite)
        common: dict[str, Any] = {"executor": Local(), "store": self.store, "timeout_s": 60.0}
        self.unfound: dict[str, CellError] = search(suite, self.plan, listener=self.events.append, **common)
        self.samples: Samples = generate(suite, self.plan, listener=self.events.append, unfound=self.unfound, **common)

    def images(self, case_key: str) -> np.ndarray:
        return self.samples.sets[case_key].images(np.arange(NUM)).astype(float)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(suite(adversarial()), tmp_path_factory.mktemp("attacked"))


def test_all_models_get_the_inputs_that_were_found(attacked: Run) -> None:
    """The teacher returns its input, so that the change is seen."""
    change = attacked.images(f"bicubic@cpu/{IMAGE}") - attacked.images("bicubic@cpu/all")
    assert np.abs(change).max() == 8
    (key,) = {case.search_key for case in attacked.plan.cases if case.search_key}
    kept = [attacked.store.read(ROOM, f"{key}/{span}") for span in ("0-4", "4-6")]
    found = np.concatenate([one["change"] for one in kept if one is not None])
    assert np.array_equal(found, change)


def test_some_samples_get_their_own_changes(attacked: Run) -> None:
    """As the gallery asks for them, from several spans."""
    case = next(case for case in attacked.plan.cases if case.search_key)
    chunks = attacked.samples.sets[case.key].chunks
    ids = np.array([1, 3, 5])
    batch = conditions_of(suite()).batch(ids, 0, case.noise)
    images = changed(batch, case, [chunk.span for chunk in chunks], attacked.store).images
    assert images is not None
    assert np.array_equal(images, attacked.images(f"bicubic@cpu/{IMAGE}")[ids])
    with pytest.raises(Failed, match="changes of samples 0-4 were lost from the cache"):
        changed(batch, case, [chunk.span for chunk in chunks], Store(attacked.store.root / "empty"))


def test_the_student_is_driven_away_from_its_teacher(attacked: Run) -> None:
    teacher = attacked.images("bicubic@cpu/all")
    far = np.abs(attacked.images(f"cnn@cpu/{IMAGE}") - teacher).mean()
    usual = np.abs(attacked.images("cnn@cpu/all") - teacher).mean()
    assert far > usual + 3


def test_what_is_kept_is_not_searched_for_again(attacked: Run) -> None:
    again = Run(suite(adversarial()), attacked.store.root.parent)
    assert not [event for event in again.events if event.stage == "search"]
    assert np.array_equal(again.images(f"cnn@cpu/{IMAGE}"), attacked.images(f"cnn@cpu/{IMAGE}"))


def test_a_search_is_repeated_exactly(attacked: Run, tmp_path: Path) -> None:
    again = Run(suite(adversarial()), tmp_path)
    assert [event.key for event in again.events if event.stage == "search"][:2] == ["", f"cpu/{IMAGE}"]
    assert np.array_equal(again.images(f"bicubic@cpu/{IMAGE}"), attacked.images(f"bicubic@cpu/{IMAGE}"))


def test_settings_and_both_models_decide_the_key() -> None:
    def key(*slices: dict[str, Any], **more: Any) -> str:
        (found,) = {case.search_key for case in make_plan(suite(*slices, **more)).cases if case.search_key}
        return found

    same = key(adversarial())
    assert key(adversarial()) == same
    assert key(adversarial(steps=4)) != same
    assert key(adversarial(), sampling={"num_samples": NUM, "seed": 1}) != same


def test_a_model_without_gradients_can_be_given_changes_only(tmp_path: Path) -> None:
    run = Run(suite(adversarial(against=["bicubic"])), tmp_path)
    why = "the search on bicubic ended without a result: bicubic is not differentiable"
    errors = {key: str(error).partition(",")[0] for key, error in run.samples.errors.items()}
    assert errors == {f"{model}@cpu/adversarial.bicubic=8": why for model in ("cnn", "bicubic")}
    assert set(run.samples.sets) == {"cnn@cpu/all", "bicubic@cpu/all"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"against": ["cnm"]}, "slice adversarial.cnm=8: the suite has no model 'cnm'"),
        ({"on": "noise"}, "slice adversarial.cnn=8: nothing can be added to its initial noise"),
    ],
)
def test_searches_that_cannot_be(settings: dict[str, Any], reason: str) -> None:
    plan = make_plan(suite(adversarial(**settings)))
    assert {gap.reason for gap in plan.missing} == {reason}


def test_noise_of_a_student_is_searched_for_and_given_to_its_teacher(tmp_path: Path) -> None:
    models = {
        name: {"role": role, "adapter": "zoo", "settings": {"name": checkpoint}}
        for name, role, checkpoint in (("slow", "teacher", "fashion-2step"), ("fast", "student", "fashion-1step"))
    }
    classes: dict[str, Any] = {"task": "class_conditional", "reference": {"dataset": "fashion-mnist"}, "inputs": None}
    noise = adversarial(against=["fast"], on="noise", budget=[0.1], steps=2)
    run = Run(suite(noise, models=models, **classes), tmp_path)
    assert not run.unfound
    moved = {
        model: np.abs(run.images(f"{model}@cpu/adversarial.fast=0.1") - run.images(f"{model}@cpu/all")).mean()
        for model in models
    }
    assert moved["fast"] > 1
    assert moved["slow"] > 0
