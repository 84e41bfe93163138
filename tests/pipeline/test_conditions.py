"""What samples are asked for: shared equally, told to the models that understand it, and the unit of independence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from evalsuite import pairing, plugins
from evalsuite.errors import Skipped, UsageError
from evalsuite.models.contract import Capabilities
from evalsuite.pipeline.conditions import Conditions, conditions_of
from evalsuite.pipeline.flags import findings_of
from evalsuite.pipeline.plan import make_plan
from evalsuite.records import Family, NoiseSpec
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from tests.features.test_pretrained import save_clip
from tests.pipeline.test_measure import Run
from tests.pipeline.user_models import model, suite_of

NUM_PROMPTS = 24


def prompt_file(folder: Path) -> Path:
    """Every third prompt is of colours, every sixth a secret, and one is long."""
    path = folder / "prompts.jsonl"
    rows = [
        {
            "prompt": f"a {'secret ' if i % 6 == 0 else ''}picture of {i} dogs" + " and a red cat" * (40 * (i == 5)),
            "challenge": ["counting", "colour"] if i % 3 == 0 else "counting",
        }
        for i in range(NUM_PROMPTS)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def text_suite(folder: Path, models: dict, num_samples: int = 2 * NUM_PROMPTS, **more) -> Suite:
    prompts = {"set": "json_lines", "settings": {"path": str(prompt_file(folder))}}
    metrics = [
        {"name": name, "metric": name, "settings": {"extractor": "clip-vit-b-32"}}
        for name in ("clip_score", "diversity", "vendi")
    ]
    parts = {"task": "text_to_image", "reference": None, "prompts": prompts, "metrics": metrics}
    return suite_of(models, num_samples=num_samples, **{**parts, **more})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("text")
    weights = folder / "weights"
    save_clip(weights / "clip-vit-b-32", 224)
    models = {
        "teacher": model(folder, "drawn", "teacher", condition="text"),
        "student": model(folder, "Blanking", condition="text"),
        "deaf": model(folder, "good", condition="class"),
    }
    slices = [{"kind": "attribute", "settings": {"by": "challenge"}}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALSUITE_WEIGHTS", str(weights))
        psnr = {"name": "psnr", "metric": "psnr"}
        suite = text_suite(folder, models, slices=slices)
        suite = suite.model_copy(update={"metrics": [*suite.metrics, type(suite.metrics[0])(**psnr)]})
        return Run(suite, Store(folder / "cache"))


def test_samples_take_prompts_in_turn() -> None:
    asked = Conditions(prompt_set=plugins.find("prompts", "challenge")())
    count, ids = asked.count, np.array([0, 1, 3000])
    texts = asked.prompt_set.texts()
    batch = asked.batch(ids, seed=7, noise=NoiseSpec(1.1))
    assert batch.prompts == (texts[0], texts[1], texts[3000 % count])
    assert batch.labels is None
    assert batch.noise.scale == 1.1
    np.testing.assert_array_equal(batch.seeds, pairing.seeds_of(ids, 7))
    twice = np.arange(2 * count)
    assert set(asked.groups(twice)) == set(range(20))
    np.testing.assert_array_equal(asked.groups(twice)[:count], asked.groups(twice)[count:])
    assert asked.clusters(twice[:count]) is None
    np.testing.assert_array_equal(asked.clusters(twice), twice % count)


def test_a_model_is_asked_for_what_it_understands() -> None:
    classes, prompts = Conditions(("boot", "bag")), Conditions(prompt_set=plugins.find("prompts", "challenge")())
    assert classes.asked_of(Capabilities(condition="class")) is classes
    assert classes.asked_of(Capabilities()) == prompts.asked_of(Capabilities()) == Conditions()
    assert Conditions().asked_of(Capabilities(condition="class")) == Conditions()
    with pytest.raises(Skipped, match="takes prompts, and this suite asks for classes"):
        classes.asked_of(Capabilities(condition="text"))
    with pytest.raises(Skipped, match="takes classes, and this suite asks for prompts"):
        prompts.asked_of(Capabilities(condition="class"))


def test_prompts_share_the_samples_equally(tmp_path: Path) -> None:
    models = {"teacher": model(tmp_path, "drawn", "teacher", condition="text")}
    assert conditions_of(text_suite(tmp_path, models, num_samples=5)).count == NUM_PROMPTS
    with pytest.raises(UsageError, match=r"found 50 with 24 prompts, expected at most 24, or a multiple .* such as 48"):
        make_plan(text_suite(tmp_path, models, num_samples=50), allow_code=True)


def test_other_prompts_are_other_samples(tmp_path: Path) -> None:
    models = {"teacher": model(tmp_path, "drawn", "teacher", condition="text")}
    (before,) = make_plan(text_suite(tmp_path, models), allow_code=True).cases
    suite = text_suite(tmp_path, models)
    path = tmp_path / "prompts.jsonl"
    path.write_text(path.read_text().replace("red cat", "blue cat"))
    (after,) = make_plan(suite, allow_code=True).cases
    assert before.samples_key != after.samples_key


def test_the_clip_score_is_a_mean_over_prompts(run: Run) -> None:
    found = run.of("teacher", "clip_score")
    assert (found.family, found.n, found.protocol["n"], found.protocol["clusters"]) == (
        Family.MEAN,
        24,
        48,
        "condition",
    )
    assert found.per_sample.mean() == pytest.approx(found.value)
    half = t.ppf(0.975, 23) * found.per_sample.std(ddof=1) / np.sqrt(24)
    assert found.interval.high - found.value == pytest.approx(half)
    assert found.sample_ids.tolist() == list(range(24))
    assert found.warning.startswith("only the beginning of the prompt was read for 2 of 48 samples")
    assert found.protocol["prompts_fingerprint"] == conditions_of(run.suite).prompt_set.fingerprint()
    assert "reference_fingerprint" not in found.protocol


def test_prompts_are_the_conditions_of_diversity(run: Run) -> None:
    found = run.of("teacher", "diversity")
    assert found.protocol["num_classes"] == NUM_PROMPTS
    assert len(found.replicates) == 20


def test_slices_by_a_column_of_the_prompts(run: Run) -> None:
    whole, colour = run.of("teacher", "clip_score"), run.of("teacher", "clip_score", "challenge=colour")
    assert run.of("teacher", "clip_score", "challenge=counting").value == pytest.approx(whole.value)
    assert colour.sample_ids.tolist() == list(range(0, 24, 3))
    assert colour.value == pytest.approx(whole.per_sample[::3].mean())


def test_a_model_that_does_not_understand_prompts_is_missing(run: Run) -> None:
    reasons = {gap.reason for gap in run.plan.missing if gap.model == "deaf"}
    assert reasons == {"the model takes classes, and this suite asks for prompts"}


def test_flagged_samples_are_counted_and_stay(run: Run) -> None:
    (finding,) = findings_of(run.plan, run.samples.sets)
    assert (finding.audit, finding.severity, finding.case_key) == ("safety_checker", "warning", "student@cpu/all")
    assert finding.evidence == "8 of 48 samples (0, 6, 12, 18, 24, ...); they are part of every value"
    blank = run.samples.sets["student@cpu/all"].images(np.array([0, 1]))
    assert not blank[0].any()
    assert blank[1].any()
    assert run.of("student", "psnr").n == 24


# --- images to start from --------------------------------------------------------------------------------------------


def image_suite(folder: Path, num_samples: int = 40, **more) -> Suite:
    models = {
        "teacher": model(folder, "Darkening", "teacher", condition="image"),
        "student": model(folder, "Darkening", condition="image", options={"share": 0.25}),
    }
    inputs = {"dataset": "fashion-mnist", "settings": {"split": "test"}}
    metrics = [{"name": "psnr", "metric": "psnr"}]
    parts = {"task": "image_to_image", "inputs": inputs, "metrics": metrics}
    return suite_of(models, num_samples=num_samples, **{**parts, **more})


def test_models_start_from_the_images_of_a_dataset(tmp_path: Path) -> None:
    run = Run(image_suite(tmp_path, slices=[{"kind": "attribute", "settings": {"by": "class"}}]), Store(tmp_path / "c"))
    images = plugins.find("datasets", "fashion-mnist")(split="test").images(np.arange(40))
    found = run.samples.sets["teacher@cpu/all"].images(np.arange(40))
    np.testing.assert_array_equal(found, (images * 0.5).astype(np.uint8))
    psnr = run.of("student", "psnr")
    assert (psnr.n, "inputs_fingerprint" in psnr.protocol) == (40, True)
    labels = plugins.find("datasets", "fashion-mnist")(split="test").labels()[:40]
    bags = np.flatnonzero(labels == 8)
    assert run.of("student", "psnr", "class=bag").sample_ids.tolist() == bags.tolist()


def test_prompts_belong_to_the_images_at_their_place(tmp_path: Path) -> None:
    prompts = {"set": "json_lines", "settings": {"path": str(prompt_file(tmp_path))}}
    with pytest.raises(UsageError, match="prompts: found 24 for 10000 inputs, expected one for each"):
        conditions_of(image_suite(tmp_path, prompts=prompts))
    asked = Conditions(
        prompt_set=plugins.find("prompts", "challenge")(), inputs=plugins.find("datasets", "fashion-mnist")()
    )
    assert asked.kind == "text_and_image"
    assert asked.asked_of(Capabilities(condition="text")).kind == "text"
    assert asked.asked_of(Capabilities(condition="image")).kind == "image"
    with pytest.raises(Skipped, match="takes classes, and this suite asks for prompts and images"):
        asked.asked_of(Capabilities(condition="class"))


def test_images_share_the_samples_equally(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="found 10001 with 10000 inputs"):
        conditions_of(image_suite(tmp_path, num_samples=10_001))


def test_people_know_a_sample_by_its_prompt_or_by_the_class_of_its_image() -> None:
    dataset = plugins.find("datasets", "fashion-mnist")(split="test")
    ids = np.array([0, 3, 10_002])
    classes = [dataset.class_names()[label] for label in dataset.labels()[ids % 10_000]]
    assert Conditions(inputs=dataset).names(ids) == classes
    prompts = plugins.find("prompts", "challenge")()
    assert Conditions(prompt_set=prompts, inputs=dataset).names(ids[:2]) == [prompts.texts()[0], prompts.texts()[3]]
    assert Conditions(class_names=("a", "b")).names(ids) == ["a", "b", "a"]
    assert Conditions().names(ids) == ["", "", ""]
