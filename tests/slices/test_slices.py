from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite import plugins
from evalsuite.errors import Skipped
from evalsuite.models.contract import Capabilities
from evalsuite.pairing import columns_of
from evalsuite.records import NoiseSpec
from evalsuite.slices.attribute import Attribute
from evalsuite.slices.contract import Change, SliceCase, lacking


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
    bag, none = np.array([3]), np.empty(0, np.int64)
    assert list(Attribute().select({"class": {"bag": bag, "coat": none}})) == ["class=bag"]
    with pytest.raises(Skipped, match="no sample has all of class"):
        Attribute().select({"class": {"coat": none}})


def test_attributes_are_combined_where_samples_have_both():
    columns = columns_of({"class": [["bag"], ["coat"], ["bag"]], "challenge": [["text"], ["text"], []]})
    slices = Attribute(by=["class", "challenge"]).select(columns)
    assert {name: where.tolist() for name, where in slices.items()} == {
        "challenge=text&class=bag": [0],
        "challenge=text&class=coat": [1],
    }


def test_values_of_an_attribute_can_be_chosen():
    columns = columns_of({"class": [["Ankle boot"], ["coat"], ["bag"]]})
    assert list(Attribute(values=["ankle-boot", "Bag"]).select(columns)) == ["class=ankle-boot", "class=bag"]
    with pytest.raises(Skipped, match="no sample has class 'coats'; did you mean 'coat'"):
        Attribute(values=["coats"]).select(columns)


def test_values_that_differ_in_punctuation_are_one_slice():
    slices = Attribute().select(columns_of({"class": [["T-shirt"], ["bag"], ["t shirt"]]}))
    assert slices["class=t-shirt"].tolist() == [0, 2]


def test_an_attribute_that_samples_lack_is_skipped():
    with pytest.raises(Skipped, match="nothing is known of 'class' of the samples"):
        Attribute().select({})
    with pytest.raises(Skipped, match="they have challenge, length"):
        Attribute(by="colour").select({"challenge": {}, "length": {}})


@pytest.mark.parametrize(
    ("kind", "settings", "ids"),
    [
        ("latent", {"scale": [1.1, 2]}, ["latent.scale=1.1", "latent.scale=2"]),
        ("latent", {"heavy_tails": [5], "low_pass": [0.5]}, ["latent.heavy_tails=5", "latent.low_pass=0.5"]),
        ("latent", {"tiled": [2], "shared": [10]}, ["latent.tiled=2", "latent.shared=10"]),
        ("precision", {"dtype": ["float16"]}, ["precision=float16"]),
        ("resolution", {"size": [512, "512x768"]}, ["resolution=512", "resolution=512x768"]),
        ("scheduler", {"names": ["EulerDiscreteScheduler"]}, ["scheduler=EulerDiscreteScheduler"]),
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
    (precision,) = plugins.find("slices", "precision")(dtype=["bfloat16"]).expand()
    (size,) = plugins.find("slices", "resolution")(size=["64x96"]).expand()
    (sampler,) = plugins.find("slices", "scheduler")(names=["DDIMScheduler"]).expand()
    assert (latent.noise, latent.settings, latent.needs) == (NoiseSpec(1.1), {}, ("noise",))
    assert (guidance.noise, guidance.settings, guidance.needs) == (None, {"guidance_scale": 2.5}, ("guidance_scale",))
    assert (steps.noise, steps.settings, steps.needs) == (None, {"num_steps": 4}, ("num_steps",))
    assert (precision.target, precision.needs) == ({"dtype": "bfloat16"}, ())
    assert (size.settings, size.needs) == ({"height": 64, "width": 96}, ("height", "width"))
    assert (sampler.settings, sampler.needs) == ({"scheduler": {"kind": "DDIMScheduler"}}, ("scheduler",))


def test_levels_make_curves():
    (latent,) = plugins.find("slices", "latent")(scale=[1.1]).expand()
    (sampler,) = plugins.find("slices", "scheduler")(names=["DDIMScheduler"]).expand()
    assert (latent.curve, latent.level, latent.unchanged) == ("latent.scale", 1.1, 1)
    assert (sampler.curve, sampler.level, sampler.unchanged) == ("scheduler", None, None)


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        (("noise",), "its initial noise cannot be changed"),
        (("num_steps",), "it has no num_steps to change"),
        (("image", "seeds"), "it starts from no image; its images do not follow from seeds"),
        (("guidance_scale", "class", "empty"), ""),
    ],
)
def test_what_a_model_lacks_is_said(needs, reason):
    able = Capabilities(
        condition="class", seeded=False, settable=frozenset({"guidance_scale"}), unusual=frozenset({"empty"})
    )
    assert lacking(SliceCase("x=1", needs=needs), able) == reason


class Brighter(Change):
    """Adds to the pixels of the inputs."""

    by: int = 1

    def apply(self, batch):
        return replace(batch, images=batch.images + np.uint8(self.by))


def test_a_change_is_told_apart_by_class_settings_and_sources(tmp_path, monkeypatch):
    assert Brighter().key() == Brighter().key() != Brighter(by=2).key()
    (tmp_path / "own.py").write_text("a = 1")
    monkeypatch.setattr("evalsuite.slices.contract.inspect.getfile", lambda kind: str(tmp_path / "own.py"))
    before = Brighter().key()
    (tmp_path / "unrelated.py").write_text("b = 2")
    assert Brighter().key() == before
    (tmp_path / "_shared.py").write_text("c = 3")
    shared = Brighter().key()
    (tmp_path / "own.py").write_text("a = 2")
    assert len({before, shared, Brighter().key()}) == 3


@pytest.mark.parametrize("name", plugins.names("slices"))
def test_every_kind_refuses_unknown_settings_and_says_what_it_is(name):
    kind = plugins.find("slices", name)
    assert kind.kind in ("variation", "subset", "derived")
    assert kind.__doc__
    with pytest.raises(ValidationError, match="unknown_setting"):
        kind.model_validate({"unknown_setting": 1})


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("latent", {"scale": []}),
        ("latent", {"scale": [0]}),
        ("latent", {}),
        ("latent", {"heavy_tails": [2]}),
        ("latent", {"low_pass": [1.5]}),
        ("attribute", {"by": []}),
        ("attribute", {"by": ["class", "class"]}),
        ("attribute", {"by": ["class", "challenge"], "values": ["bag"]}),
        ("precision", {"dtype": ["float8"]}),
        ("resolution", {"size": ["512x"]}),
        ("num_steps", {"steps": [0]}),
        ("guidance", {"scale": [float("nan")]}),
    ],
)
def test_senseless_values_are_refused(kind, settings):
    with pytest.raises(ValidationError):
        plugins.find("slices", kind).model_validate(settings)
