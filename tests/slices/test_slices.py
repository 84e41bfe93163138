import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite import plugins
from evalsuite.errors import Skipped
from evalsuite.pairing import columns_of
from evalsuite.records import NoiseSpec
from evalsuite.slices.attribute import Attribute


def test_attribute_splits_the_samples_by_class():
    names = ["T-shirt / top", "Ankle boot", "bag"]
    slices = Attribute().select(columns_of({"class": [[names[i]] for i in (0, 1, 2, 0, 1, 2, 0)]}))
    assert list(slices) == ["class=t-shirt-top", "class=ankle-boot", "class=bag"]
    assert slices["class=t-shirt-top"].tolist() == [0, 3, 6]
    assert sorted(np.concatenate(list(slices.values())).tolist()) == list(range(7))


def test_attribute_takes_any_column_and_a_sample_may_have_several_values():
    columns = columns_of({"challenge": [["colour", "text"], [], ["text"]], "length": [["short"]] * 3})
    slices = Attribute(by="challenge").select(columns)
    assert {name: where.tolist() for name, where in slices.items()} == {
        "challenge=colour": [0],
        "challenge=text": [0, 2],
    }


def test_attribute_leaves_out_values_that_no_sample_has():
    assert not Attribute().select({"class": {"bag": np.empty(0, np.int64)}})


def test_an_attribute_that_samples_lack_is_skipped():
    with pytest.raises(Skipped, match="nothing is known of 'class' of the samples"):
        Attribute().select({})
    with pytest.raises(Skipped, match="they have challenge, length"):
        Attribute(by="colour").select({"challenge": {}, "length": {}})


@pytest.mark.parametrize(
    ("kind", "settings", "ids"),
    [
        ("latent", {"scale": [1.1, 2]}, ["latent.scale=1.1", "latent.scale=2"]),
        ("guidance", {"scale": [1.0, 2.5]}, ["guidance=1", "guidance=2.5"]),
        ("num_steps", {"steps": [1, 16]}, ["num_steps=1", "num_steps=16"]),
    ],
)
def test_a_variation_has_one_case_a_value(kind, settings, ids):
    assert [case.id for case in plugins.find("slices", kind)(**settings).expand()] == ids


def test_what_variations_change_and_need():
    (latent,) = plugins.find("slices", "latent")(scale=[1.1]).expand()
    (guidance,) = plugins.find("slices", "guidance")(scale=[2.5]).expand()
    (steps,) = plugins.find("slices", "num_steps")(steps=[4]).expand()
    assert (latent.noise, latent.settings, latent.needs) == (NoiseSpec(1.1), {}, "noise")
    assert (guidance.noise, guidance.settings, guidance.needs) == (None, {"guidance_scale": 2.5}, "guidance_scale")
    assert (steps.noise, steps.settings, steps.needs) == (None, {"num_steps": 4}, "num_steps")


@pytest.mark.parametrize("name", plugins.names("slices"))
def test_every_kind_refuses_unknown_settings_and_says_what_it_is(name):
    kind = plugins.find("slices", name)
    assert kind.kind in ("variation", "subset")
    assert kind.__doc__
    with pytest.raises(ValidationError, match="unknown_setting"):
        kind.model_validate({"unknown_setting": 1})


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("latent", {"scale": []}),
        ("latent", {"scale": [0]}),
        ("num_steps", {"steps": [0]}),
        ("guidance", {"scale": [float("nan")]}),
    ],
)
def test_senseless_values_are_refused(kind, settings):
    with pytest.raises(ValidationError):
        plugins.find("slices", kind).model_validate(settings)
