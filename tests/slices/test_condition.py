import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite.errors import Failed
from evalsuite.models.contract import Batch, Capabilities
from evalsuite.slices._wording import HOMOGLYPHS, RARE, REWORDINGS, SYNONYMS
from evalsuite.slices.condition import Blended, Condition, Emptied, Reworded
from evalsuite.slices.contract import lacking

IDS = np.arange(40)
PROMPTS = tuple(f"a large old photo of {n} small dogs near the road" for n in IDS)
TEXTS = Batch(IDS, IDS + 100, prompts=PROMPTS)
CLASSES = Batch(IDS, IDS + 100, labels=IDS % 10, num_classes=10)


def reworded(name, amount):
    return Reworded(name=name, amount=amount).apply(TEXTS).prompts


def test_a_class_is_mixed_with_another_of_the_sample():
    found = pickle.loads(pickle.dumps(Blended(weight=0.3))).apply(CLASSES)
    assert found.blend.weight == 0.3
    assert np.array_equal(found.labels, CLASSES.labels)
    assert not (found.blend.labels == CLASSES.labels).any()
    assert set(found.blend.labels.tolist()) == set(range(10))
    alone = Blended(weight=0.3).apply(Batch(IDS[7:8], IDS[7:8] + 100, labels=IDS[7:8], num_classes=10))
    assert alone.blend.labels[0] == found.blend.labels[7]


@pytest.mark.parametrize("batch", [TEXTS, Batch(IDS, IDS, labels=IDS * 0, num_classes=1)])
def test_there_must_be_classes_to_mix(batch):
    with pytest.raises(Failed, match=r"two classes are mixed, and there are [01]"):
        Blended(weight=0.5).apply(batch)


def test_nothing_is_asked_for():
    assert Emptied().apply(CLASSES).labels is None
    assert Emptied().apply(TEXTS).prompts == ("",) * 40


@pytest.mark.parametrize("name", REWORDINGS)
def test_a_prompt_is_reworded_by_its_own_seed(name):
    amount = {"longer": 2.0, "combined": 2}.get(name, 0.6)
    found = reworded(name, amount)
    assert found == reworded(name, amount)
    alone = Reworded(name=name, amount=amount).apply(Batch(IDS[3:4], IDS[3:4] + 100, prompts=PROMPTS[3:4]))
    assert alone.prompts[0] == found[3]
    assert sum(a != b for a, b in zip(found, PROMPTS, strict=True)) >= 38


def test_prompts_must_be_there():
    with pytest.raises(Failed, match="only prompts can be reworded"):
        Reworded(name="typos", amount=0.5).apply(CLASSES)


def test_typos_are_one_letter_of_words_of_four_or_more():
    for text, original in zip(reworded("typos", 1.0), PROMPTS, strict=True):
        for word, before in zip(text.split(), original.split(), strict=True):
            assert abs(len(word) - len(before)) <= (len(before) > 3)
            assert word == before or len(before) > 3
            assert word[0] == before[0] or word[1] == before[0]
    few = sum(
        a != b
        for text, p in zip(reworded("typos", 0.2), PROMPTS, strict=True)
        for a, b in zip(text.split(), p.split(), strict=True)
    )
    assert 0.1 < few / (40 * 6) < 0.3


def test_synonyms_are_of_the_same_group():
    groups = [set(group) for group in SYNONYMS]
    text = reworded("synonyms", 1.0)[0]
    for word in ("large", "old", "photo", "small", "near", "road"):
        assert f" {word} " not in f" {text} "
    assert any(f" {other} " in text for other in next(group for group in groups if "large" in group))
    assert len([word for group in SYNONYMS for word in group]) == len({word for group in SYNONYMS for word in group})


def test_order_keeps_the_words():
    text = reworded("order", 1.0)[0]
    assert sorted(text.split()) == sorted(PROMPTS[0].split())
    assert reworded("order", 0.01)[:3] == PROMPTS[:3]


def test_capitals_and_other_scripts():
    assert reworded("capitals", 1.0)[0] == PROMPTS[0].upper()
    other = reworded("homoglyphs", 1.0)[0]
    assert other != PROMPTS[0] and len(other) == len(PROMPTS[0])
    assert other == PROMPTS[0].translate(HOMOGLYPHS)
    import unicodedata

    wide = reworded("fullwidth", 1.0)[0]
    assert "large" not in wide
    assert unicodedata.normalize("NFKC", wide) == PROMPTS[0]


def test_length_and_rare_combinations():
    longer = reworded("longer", 3.0)[0]
    assert longer.startswith(PROMPTS[0]) and len(longer.split()) == 3 * len(PROMPTS[0].split())
    text, *rare = reworded("combined", 2)[0].split(", ")
    assert text == PROMPTS[0] and len(set(rare)) == 2 and set(rare) <= set(RARE)


def test_slices_and_what_they_need():
    cases = {case.id: case for case in Condition(blend=[0.5], empty=True, typos=[0.1, 0.3], longer=[2]).expand()}
    assert list(cases) == [
        "condition.blend=0.5", "condition=empty", "condition.typos=0.1", "condition.typos=0.3", "condition.longer=2"
    ]  # fmt: skip
    assert (cases["condition.longer=2"].unchanged, cases["condition.typos=0.1"].unchanged) == (1, 0)
    texts, classes = Capabilities(condition="text"), Capabilities(condition="class", unusual=frozenset({"blend"}))
    assert not lacking(cases["condition.typos=0.1"], texts)
    assert not lacking(cases["condition=empty"], texts)
    assert lacking(cases["condition=empty"], classes) == "it cannot be asked for no class"
    assert not lacking(cases["condition.blend=0.5"], classes)
    assert "not asked for texts" in lacking(cases["condition.typos=0.1"], classes)


@pytest.mark.parametrize("settings", [{}, {"blend": [1.0]}, {"typos": [0]}, {"longer": [1]}, {"combined": [13]}])
def test_senseless_levels_are_refused(settings):
    with pytest.raises(ValidationError):
        Condition(**settings)
