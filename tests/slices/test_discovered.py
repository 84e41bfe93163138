from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite.errors import Skipped
from evalsuite.slices.contract import Derivation, Material
from evalsuite.slices.discovered import Discovered

CLASSES, DIM = 4, 6
CENTRES = 6 * np.eye(CLASSES, DIM)
NAMES = ("shirt", "bag", "boot", "coat")


def features(random: np.random.Generator, count: int = 240) -> np.ndarray:
    """Of classes in turn, one normal cloud each."""
    return (CENTRES[np.arange(count) % CLASSES] + random.normal(size=(count, DIM))).astype(np.float32)


def material(teacher: np.ndarray, *students: np.ndarray, **more: object) -> Material:
    count = len(teacher)
    pairs = {f"s{number}@cpu/all": (student, teacher) for number, student in enumerate(students)}
    fields = {"units": np.arange(count), "names": [NAMES[i % CLASSES] for i in range(count)], "reference": None}
    return Material(np.arange(count) * 10, teacher, pairs, **{**fields, **more})  # type: ignore[arg-type]


def moved(random: np.random.Generator, which: int = 2, by: float = 3.0) -> np.ndarray:
    """A student whose samples of one class are not where the teacher's are."""
    found = features(random)
    found[which::CLASSES, -1] += by
    return found


def derived(given: Material, **settings: int) -> Derivation:
    return Discovered(clusters=CLASSES, **settings).derive(given)


def test_the_class_that_a_student_changes_is_found() -> None:
    random = np.random.default_rng(0)
    found = derived(material(features(random), moved(random), reference=features(random, 40)))
    (one,), (gap,) = found.slices, found.gaps
    assert set(one.positions % CLASSES) == {2}
    assert len(one.positions) == 60
    assert one.reference is not None
    assert one.reference.tolist() == list(range(2, 40, 4))
    assert (gap.case_key, gap.slice) == ("s0@cpu/all", one.id)
    assert gap.evidence.startswith("60 samples, 100% boot: the student has 0.")
    assert gap.evidence.endswith("see samples 20, 60, 100, 140, 180")


def test_a_student_like_its_teacher_shows_nothing() -> None:
    random = np.random.default_rng(1)
    teacher = features(random)
    found = derived(material(teacher, features(random), teacher.copy()))
    assert (found.slices, found.gaps, found.looked_at) == ((), (), CLASSES)


def test_every_student_is_told_apart() -> None:
    random = np.random.default_rng(2)
    found = derived(material(features(random), moved(random, which=1), features(random), moved(random, which=3)))
    assert len(found.slices) == 2
    by_student = {gap.case_key: gap.evidence.partition("%")[2].partition(":")[0].strip() for gap in found.gaps}
    assert by_student == {"s0@cpu/all": "bag", "s2@cpu/all": "coat"}


def test_samples_that_hang_together_are_one_witness() -> None:
    """A gap of six prompts with ten samples each is shown by six values, not by sixty."""
    random = np.random.default_rng(3)
    teacher, student = features(random), moved(random)
    assert derived(material(teacher, student)).gaps
    assert not derived(material(teacher, student, units=np.arange(240) // 40)).gaps


def test_the_seed_decides() -> None:
    random = np.random.default_rng(4)
    given = material(features(random), moved(random))
    first, again, other = derived(given), derived(given), derived(given, seed=1)
    assert first.gaps == again.gaps != other.gaps


def test_nothing_is_said_of_what_samples_show_where_it_is_not_known() -> None:
    random = np.random.default_rng(5)
    found = derived(material(features(random), moved(random), names=[""] * 240))
    assert found.gaps[0].evidence.startswith("60 samples: the student has")
    assert found.slices[0].reference is None


def test_too_few_samples_are_told() -> None:
    teacher = features(np.random.default_rng(6), 39)
    with pytest.raises(Skipped, match="4 clusters need 40 samples, found 39; ask for fewer"):
        derived(material(teacher, teacher))


def test_samples_without_variety_are_told() -> None:
    teacher = np.zeros((240, DIM), np.float32)
    with pytest.raises(Skipped, match="do not fall into 4 clusters"):
        derived(material(teacher, teacher))


@pytest.mark.parametrize("settings", [{"clusters": 1}, {"clusters": 501}, {"seed": -1}])
def test_senseless_values_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Discovered.model_validate(settings)
