"""Slices from the plan to the numbers: crossed, generated once, on other targets, and against a ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.executors.local import Local
from evalsuite.metrics.contract import FeatureInputs
from evalsuite.pipeline.conditions import conditions_of
from evalsuite.pipeline.extract import REFERENCE
from evalsuite.pipeline.gallery import make_gallery
from evalsuite.pipeline.generate import generate
from evalsuite.pipeline.plan import make_plan
from evalsuite.records import NoiseSpec, Plan, Slice
from evalsuite.slices.corruption import corrupted
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from tests.pipeline.test_measure import Run
from tests.pipeline.user_models import model, suite_of

STRONGER = {"kind": "latent", "settings": {"scale": [1.0, 1.1]}, "cross": ["class"]}
CROSSED = {"kind": "latent", "settings": {"scale": [1.1]}, "cross": ["class"]}
CLASSES = {"kind": "attribute", "settings": {"by": "class"}}


def plan_of(suite: Suite, **options: Any) -> Plan:
    return make_plan(suite, allow_code=True, **options)


def noisy(folder: Path, **fields: Any) -> dict[str, Any]:
    return model(folder, "Noisy", "teacher", noise=True, **fields)


def test_a_variation_is_crossed_with_a_subset_of_its_own_samples(tmp_path: Path) -> None:
    plan = plan_of(suite_of({"m": noisy(tmp_path)}, slices=[CROSSED]))
    cases = {case.slice: case for case in plan.cases}
    assert len(cases) == 1 + 10 + 1 + 10
    part, plain = cases["class=bag&latent.scale=1.1"], cases["class=bag"]
    assert (part.parent, part.part, part.noise.scale) == ("m@cpu/latent.scale=1.1", "class=bag", 1.1)
    assert part.samples_key == cases["latent.scale=1.1"].samples_key != plain.samples_key
    assert part.sample_ids.tolist() == plain.sample_ids.tolist() == [8, 18, 28, 38]


def test_what_is_said_of_slices(tmp_path: Path) -> None:
    notes = {note.id: note for note in plan_of(suite_of({"m": noisy(tmp_path)}, slices=[CROSSED])).slices}
    assert notes["class=bag"] == Slice(id="class=bag", kind="attribute")
    level = {"varied": True, "level": 1.1, "unchanged": 1}
    assert notes["latent.scale=1.1"] == Slice(id="latent.scale=1.1", kind="latent", curve="latent.scale", **level)
    assert notes["class=bag&latent.scale=1.1"] == Slice(
        id="class=bag&latent.scale=1.1", kind="latent", base="class=bag", curve="class=bag&latent.scale", **level
    )


def test_a_chosen_part_brings_what_it_is_made_of_and_compared_with(tmp_path: Path) -> None:
    suite = suite_of({"m": noisy(tmp_path)}, slices=[CROSSED])
    plan = plan_of(suite, only={"slice": ["class=bag&latent.scale=1.1"]})
    assert [case.slice for case in plan.cases] == ["all", "class=bag", "latent.scale=1.1", "class=bag&latent.scale=1.1"]


def test_parts_of_a_slice_that_the_model_cannot_do_are_missing(tmp_path: Path) -> None:
    plan = plan_of(suite_of({"m": model(tmp_path, "good")}, slices=[CROSSED]))
    assert {gap.slice for gap in plan.missing} == {"latent.scale=1.1"} | {
        note.id for note in plan.slices if note.base != "all"
    }
    assert {gap.reason for gap in plan.missing} == {"slice latent.scale=1.1: its initial noise cannot be changed"}


def test_slices_that_share_samples_generate_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three calls a run of all samples: those of ``all``, which a factor of 1 leaves alone, and of the factor 1.1."""
    calls = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(calls))
    suite = suite_of({"m": model(tmp_path, "good", noise=True)}, slices=[CLASSES, STRONGER])
    plan, store = plan_of(suite), Store(tmp_path / "cache")
    for _ in range(2):
        samples = generate(suite, plan, executor=Local(), store=store, listener=lambda event: None, timeout_s=60)
        assert calls.read_text().split() == ["16", "16", "8"] * 2
    assert set(samples.sets) == {"m@cpu/all", "m@cpu/latent.scale=1", "m@cpu/latent.scale=1.1"}
    assert len({one.content for one in samples.sets.values()}) == 1  # the model does not look at its noise


def test_cases_of_equal_samples_fail_together(tmp_path: Path) -> None:
    suite = suite_of({"m": model(tmp_path, "broken", noise=True)}, slices=[STRONGER])
    samples = generate(
        suite, plan_of(suite), executor=Local(), store=Store(tmp_path / "c"), listener=lambda event: None, timeout_s=60
    )
    assert set(samples.errors) == {"m@cpu/all", "m@cpu/latent.scale=1", "m@cpu/latent.scale=1.1"}
    assert not samples.sets


TYPED = """
import contextlib, pathlib
import numpy as np

class Typed:
    @contextlib.contextmanager
    def open(self, target):
        self.level = {"float32": 32, "float16": 16}[target.dtype]
        yield self

    def generate(self, batch, probe):
        return np.full((len(batch.seeds), 1, 28, 28), self.level, np.uint8)
"""


def test_a_slice_of_the_target_runs_on_the_changed_target(tmp_path: Path) -> None:
    (tmp_path / "typed.py").write_text(TYPED)
    entry = {"role": "teacher", "adapter": "python", "settings": {"callable": f"{tmp_path / 'typed.py'}:Typed"}}
    entry["settings"]["version"] = "1"
    suite = suite_of({"m": entry}, slices=[{"kind": "precision", "settings": {"dtype": ["float16", "float32"]}}])
    plan = plan_of(suite)
    keys = {case.slice: case.samples_key for case in plan.cases}
    assert keys["precision=float32"] == keys["all"] != keys["precision=float16"]
    samples = generate(
        suite, plan, executor=Local(), store=Store(tmp_path / "c"), listener=lambda event: None, timeout_s=60
    )
    ids = np.arange(40)
    levels = {key.partition("/")[2]: set(found.images(ids).ravel()) for key, found in samples.sets.items()}
    assert levels == {"all": {32}, "precision=float32": {32}, "precision=float16": {16}}


def test_a_part_of_a_variation_is_compared_with_the_same_part_of_the_reference(tmp_path: Path) -> None:
    kid = {"name": "kid", "metric": "kid", "settings": {"extractor": "pixels"}}
    run = Run(suite_of({"m": noisy(tmp_path)}, metrics=[kid], slices=[CROSSED]), Store(tmp_path / "cache"))
    generated = run.features.of("pixels", "m@cpu/latent.scale=1.1")
    reference = run.features.of("pixels", REFERENCE)
    assert reference.labels is not None
    rows, real = np.array([8, 18, 28, 38]), np.flatnonzero(reference.labels == 8)
    inputs = FeatureInputs(generated.select(rows), reference.select(real), np.arange(4), whole=False)
    expected = plugins.find("metrics", "kid")(extractor="pixels").compute(inputs)[""]
    assert run.of("m", "kid", "class=bag&latent.scale=1.1").value == expected.value


# --- noise that samples share --------------------------------------------------------------------------------------


def test_samples_that_share_their_noise_have_one_seed_and_count_once(tmp_path: Path) -> None:
    suite = suite_of({"m": noisy(tmp_path)})
    conditions = conditions_of(suite)
    ids = np.arange(40)
    plain, shared = (conditions.batch(ids, 0, NoiseSpec(shared=count)).seeds for count in (1, 10))
    assert np.array_equal(shared, np.repeat(plain[::10], 10))
    clusters = conditions.clusters(ids, 10)
    assert clusters is not None and clusters.tolist() == (ids // 10).tolist()
    assert conditions.clusters(ids) is None
    groups = conditions.groups(np.arange(400), 4)
    assert all(len(set(block)) == 1 for block in groups.reshape(-1, 20))  # whole classes and whole noises


def test_numbers_of_shared_noise_are_by_noise(tmp_path: Path) -> None:
    metrics = [{"name": "psnr", "metric": "psnr"}]
    models = {"teacher": model(tmp_path, "good", "teacher"), "student": model(tmp_path, "uneven")}
    slices = [{"kind": "latent", "settings": {"shared": [10, 7]}}]
    run = Run(suite_of(models, metrics=metrics, slices=slices), Store(tmp_path / "cache"))
    psnr = run.of("student", "psnr", "latent.shared=10")
    assert (psnr.n, psnr.protocol["shared_noise"]) == (4, 10)
    (gap,) = run.missing
    assert gap.reason == "noise shared by 7 samples is not shared by equally many of these 40"


# --- ground truth --------------------------------------------------------------------------------------------------

FOG = {"kind": "corruption", "settings": {"names": ["fog"], "severity": [3]}}


@pytest.fixture(scope="module")
def restoration(tmp_path_factory: pytest.TempPathFactory) -> Run:
    distance = {"metric": "feature_distance", "settings": {"extractor": "pixels"}}
    metrics = [
        {"name": "psnr", "metric": "psnr", "against": "ground_truth"},
        {"name": "psnr-teacher", "metric": "psnr"},
        {"name": "distance", "against": "ground_truth", **distance},
        {"name": "distance-teacher", **distance},
    ]
    models = {"teacher": {"role": "teacher", "adapter": "identity"}, "same": {"role": "student", "adapter": "identity"}}
    inputs = {"dataset": "low-resolution", "settings": {"of": "fashion-mnist", "first": 20}}
    suite = suite_of(
        models, task="image_to_image", inputs=inputs, reference=None, metrics=metrics, slices=[FOG], num_samples=20
    )
    return Run(suite, Store(tmp_path_factory.mktemp("truth")))


def test_ground_truth_is_measured_for_teachers_too(restoration: Run) -> None:
    cells = {(m.model, m.name, m.slice): m.against for m in restoration.measurements}
    assert cells["teacher", "psnr", "all"] == cells["same", "psnr", "all"] == "ground_truth"
    assert ("teacher", "psnr-teacher", "all") not in cells
    assert cells["same", "psnr-teacher", "corruption.fog=3"] == "teacher@cpu/corruption.fog=3"
    assert restoration.of("same", "psnr-teacher").value == 100  # equal images
    assert not restoration.missing


def test_under_corruption_the_truth_stays_as_it_was(restoration: Run) -> None:
    inputs = plugins.find("datasets", "low-resolution")(of="fashion-mnist")
    ids = np.arange(20)
    truth, given = inputs.truth(ids), inputs.images(ids)
    seeds = conditions_of(restoration.suite).batch(ids, 0, NoiseSpec()).seeds
    foggy = [corrupted(x, "fog", 3, np.random.default_rng(seed)) for x, seed in zip(given, seeds, strict=True)]
    for slice_id, images in {"all": given, "corruption.fog=3": np.stack(foggy)}.items():
        errors = ((images.astype(float) - truth) ** 2).mean(axis=(1, 2, 3))
        expected = (10 * np.log10(255**2 / errors)).mean()
        assert restoration.of("same", "psnr", slice_id).value == pytest.approx(expected)


def test_the_gallery_shows_what_samples_of_a_slice_were_made_from(restoration: Run, tmp_path: Path) -> None:
    parts = restoration.samples, restoration.features, restoration.measurements
    pictures = make_gallery(restoration.suite, restoration.plan, *parts, tmp_path, restoration.store)
    shown = {(one.case_key, one.shows, one.sample_id): one.file for one in pictures}
    sample = next(one.sample_id for one in pictures if one.case_key == "teacher@cpu/corruption.fog=3")
    key = "teacher@cpu/corruption.fog=3"
    # The model returns its input, so that what it was given is what it made.
    given, made, plain = (
        (tmp_path / shown[case, shows, sample]).read_bytes()
        for case, shows in ((key, "input"), (key, "sample"), ("teacher@cpu/all", "input"))
    )
    assert given == made != plain


def test_features_of_the_truth(restoration: Run) -> None:
    truth = plugins.find("datasets", "low-resolution")(of="fashion-mnist").truth(np.arange(20))
    with plugins.find("features", "pixels")().open() as extractor:
        a, b = (
            extractor.extract(images).features.astype(float)
            for images in (restoration.samples.sets["same@cpu/all"].images(np.arange(20)), truth)
        )
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert restoration.of("same", "distance").value == pytest.approx((1 - cosine).mean(), rel=1e-5)
    assert restoration.of("same", "distance-teacher").value == 0


def test_inputs_without_a_ground_truth_leave_it_out(tmp_path: Path) -> None:
    from PIL import Image

    for i in range(4):
        Image.fromarray(np.full((8, 8), 40 * i, np.uint8)).save(tmp_path / f"{i}.png")
    suite = suite_of(
        {"m": {"role": "teacher", "adapter": "identity"}},
        task="image_to_image",
        inputs={"dataset": "image-folder", "settings": {"path": str(tmp_path)}},
        reference=None,
        metrics=[{"name": "psnr", "metric": "psnr", "against": "ground_truth"}],
        num_samples=4,
    )
    run = Run(suite, Store(tmp_path / "cache"))
    (gap,) = run.missing
    assert gap.kind == "skipped"
    assert "these inputs do not say" in gap.reason
