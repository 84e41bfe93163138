from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch
from evalsuite.slices.adversarial import Adversarial, Attack

SHAPE = (1, 4, 4)
SEEDS = np.array([3, 4])


class Doubled:
    """Doubles the image, or the noise, that it starts from."""

    def __init__(self, on="image"):
        self.on = on

    def generate(self, batch, probe):
        raise NotImplementedError

    def noise(self, batch):
        import torch

        return torch.zeros(len(batch.seeds), *SHAPE) if self.on == "noise" else None

    def condition(self, batch):
        import torch

        return torch.from_numpy(batch.images).float() if self.on == "image" else torch.from_numpy(batch.labels)

    def forward(self, noise, condition):
        return 2 * (condition if self.on == "image" else noise)


def attack(**settings):
    fixed = {"against": "s", "on": "image", "norm": "linf", "budget": 4.0, "steps": 5, "step_size": 2.0, "seed": 0}
    return Attack(**{**fixed, **settings})


def batch_of(level):
    return Batch(np.arange(2), SEEDS, labels=np.arange(2), images=np.full((2, *SHAPE), level, np.uint8))


def wanted(level):
    return np.full((2, *SHAPE), level, np.uint8)


def test_the_largest_value_is_driven_to_the_edge_of_the_ball():
    """What is wanted lies below twice the image, so every pixel is better moved up."""
    batch = batch_of(100)
    found = attack().search(Doubled(), batch, wanted(180))
    assert found["change"].dtype == np.int16
    assert (found["change"] == 4).all()
    assert (attack().applied(batch, found).images == 104).all()


def test_a_euclidean_budget_is_shared_by_all_pixels():
    change = attack(norm="l2", budget=40.0, step_size=20.0, steps=30).search(Doubled(), batch_of(100), wanted(180))
    lengths = np.sqrt((change["change"].astype(float) ** 2).sum(axis=(1, 2, 3)))
    assert (lengths <= 40.0 + 1e-6).all()
    assert (change["change"] >= 8).all()
    assert lengths == pytest.approx(40, rel=0.1)


def test_images_stay_between_black_and_white():
    change = attack().search(Doubled(), batch_of(253), wanted(180))["change"]
    assert (change == 2).all()


def test_noise_is_changed_in_its_own_units():
    found = attack(on="noise", budget=0.25, step_size=0.2).search(Doubled("noise"), batch_of(0), wanted(0))
    assert found["change"].dtype == np.float32
    assert np.abs(found["change"]) == pytest.approx(0.25)
    offset = attack(on="noise").applied(batch_of(0), found).offset
    assert offset is found["change"]


def test_samples_do_not_depend_on_their_batch_and_the_seed_decides():
    both = attack(on="noise", steps=1).search(Doubled("noise"), batch_of(0), wanted(0))["change"]
    second = Batch(np.arange(1, 2), SEEDS[1:], labels=np.arange(1, 2))
    alone = attack(on="noise", steps=1).search(Doubled("noise"), second, wanted(0)[1:])["change"]
    assert np.array_equal(both[1:], alone)
    assert not np.array_equal(both[0], both[1])
    other = attack(on="noise", steps=1, seed=1).search(Doubled("noise"), batch_of(0), wanted(0))["change"]
    assert not np.array_equal(both, other)


@pytest.mark.parametrize("model", [Doubled("image"), Doubled("noise")], ids=["no noise", "labels for an image"])
def test_what_a_model_does_not_start_from_cannot_be_searched_for(model):
    on = "noise" if model.on == "image" else "image"
    with pytest.raises(Failed, match=f"s has no {on} that can be changed little by little"):
        attack(on=on).search(model, batch_of(0), wanted(0))


def test_one_slice_a_student_and_budget():
    cases = Adversarial(against=["a", "b"], budget=[2, 8], steps=20).expand()
    assert [case.id for case in cases] == [f"adversarial.{name}={budget}" for name in "ab" for budget in (2, 8)]
    assert (cases[1].curve, cases[1].level, cases[1].unchanged, cases[1].needs) == ("adversarial.a", 8, 0, ("image",))
    assert cases[1].change == attack(against="a", budget=8.0, steps=20, step_size=1.0)
    (noise,) = Adversarial(against=["a"], on="noise", budget=[0.1], step_size=0.05).expand()
    assert (noise.needs, noise.change.step_size) == (("offset",), 0.05)


@pytest.mark.parametrize(
    "settings",
    [{}, {"against": []}, {"budget": [0]}, {"steps": 0}, {"norm": "l1"}, {"against": ["a b"]}, {"on": "label"}],
)
def test_senseless_values_are_refused(settings):
    with pytest.raises(ValidationError):
        Adversarial.model_validate({"against": ["a"]} | settings if settings else {})
