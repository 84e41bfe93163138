"""Features and measurements: known answers, one pass for all metrics, protocols that fit, and reasons for gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite import pairing, plugins
from evalsuite.executors.local import Local
from evalsuite.metrics.contract import FeatureInputs
from evalsuite.pipeline.events import Event
from evalsuite.pipeline.extract import REFERENCE, Features, extract
from evalsuite.pipeline.generate import Samples, generate
from evalsuite.pipeline.measure import Cells, measure
from evalsuite.pipeline.plan import make_plan
from evalsuite.records import Measurement, Plan
from evalsuite.store import Store
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import METRICS, model, suite_of

CLASSES = {"kind": "attribute", "settings": {"by": "class"}}


class Run:
    """The stages of a run without timings, one after the other, with what each left."""

    def __init__(self, suite: Suite, store: Store) -> None:
        self.suite, self.store, self.events = suite, store, list[Event]()
        self.plan: Plan = make_plan(suite, allow_code=True)
        common: dict[str, Any] = {"store": store, "listener": self.events.append}
        processes: dict[str, Any] = {"executor": Local(), "timeout_s": 60.0, **common}
        self.samples: Samples = generate(suite, self.plan, **processes)
        self.features: Features = extract(suite, self.plan, self.samples, **processes)
        found: Cells = measure(suite, self.plan, self.samples, self.features, [], [], **common)
        self.measurements, self.missing = found

    def of(self, model: str, name: str, slice_id: str = "all") -> Measurement:
        (found,) = (m for m in self.measurements if (m.model, m.name, m.slice) == (model, name, slice_id))
        return found

    def cached(self, stage: str) -> set[str]:
        return {event.key for event in self.events if event.kind == "cached" and event.stage == stage}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("measure")
    models = {"teacher": model(folder, "good", "teacher"), "student": model(folder, "near")}
    inception = {"name": "is", "metric": "inception_score", "settings": {"extractor": "pixels"}}
    suite = suite_of(models, num_samples=240, batch_size=64, metrics=[*METRICS, inception], slices=[CLASSES])
    return Run(suite, Store(folder / "cache"))


def test_psnr_of_images_that_differ_by_three(run: Run) -> None:
    """Every pixel differs by 3, so each image has PSNR 20 log10(255 / 3)."""
    psnr = run.of("student", "psnr")
    assert psnr.value == pytest.approx(20 * np.log10(255 / 3), rel=1e-12)
    assert psnr.against == "teacher@cpu/all"
    assert psnr.per_sample is not None
    assert np.ptp(psnr.per_sample) == pytest.approx(0, abs=1e-12)
    assert psnr.sample_ids is not None
    assert psnr.sample_ids.tolist() == list(range(240))


def test_the_teacher_is_not_compared_with_itself(run: Run) -> None:
    cells = [*run.measurements, *run.missing]
    assert not [cell for cell in cells if cell.name == "psnr" and cell.role == "teacher"]


def test_features_are_those_of_the_images(run: Run) -> None:
    with plugins.find("features", "pixels")().open() as extractor:
        expected = extractor.extract(run.samples.sets["teacher@cpu/all"].images(np.arange(240))).features
    found = run.features.of("pixels", "teacher@cpu/all")
    assert np.array_equal(found.features, expected)
    assert found.labels is not None
    assert found.labels.tolist() == [i % 10 for i in range(240)]


def test_the_value_is_the_metrics_own(run: Run) -> None:
    generated, reference = run.features.of("pixels", "student@cpu/all"), run.features.of("pixels", REFERENCE)
    inputs = FeatureInputs(generated, reference, pairing.groups_of(generated.sample_ids, 10))
    expected = plugins.find("metrics", "fid")(extractor="pixels").compute(inputs)[""]
    fid = run.of("student", "fid")
    assert fid.value == expected.value
    assert fid.replicates is not None
    assert np.array_equal(fid.replicates, expected.replicates)
    assert fid.interval is not None
    assert fid.interval.low < fid.value < fid.interval.high


def test_a_class_is_compared_with_the_same_class_of_the_reference(run: Run) -> None:
    generated, reference = run.features.of("pixels", "student@cpu/all"), run.features.of("pixels", REFERENCE)
    assert generated.labels is not None
    assert reference.labels is not None
    rows, real = (np.flatnonzero(labels == 7) for labels in (generated.labels, reference.labels))
    groups = pairing.groups_of(generated.sample_ids[rows], 10)
    inputs = FeatureInputs(generated.select(rows), reference.select(real), groups, whole=False)
    expected = plugins.find("metrics", "kid")(extractor="pixels").compute(inputs)[""]
    assert run.of("student", "kid", "class=sneaker").value == expected.value


def test_frechet_on_a_small_slice_is_skipped_and_names_the_number(run: Run) -> None:
    (gap,) = (g for g in run.missing if (g.model, g.name, g.slice) == ("student", "fid", "class=sneaker"))
    assert gap.kind == "skipped"
    assert "245" in gap.reason  # 5 for each of 49 features


def test_a_metric_without_its_input_is_skipped(run: Run) -> None:
    gaps = [gap for gap in run.missing if gap.name == "is" and gap.slice == "all"]
    assert {(gap.model, gap.kind) for gap in gaps} == {("teacher", "skipped"), ("student", "skipped")}
    assert "no class scores" in gaps[0].reason


def test_every_cell_has_a_number_or_a_reason(run: Run) -> None:
    cells = [*run.measurements, *run.missing]
    assert len(cells) == 11 * (3 + 5)
    assert len({cell.identity for cell in cells}) == len(cells)
    assert all(gap.reason for gap in run.missing)


def test_teacher_and_student_have_one_protocol(run: Run) -> None:
    for name in ("fid", "kid"):
        teacher, student = run.of("teacher", name), run.of("student", name)
        assert teacher.protocol == student.protocol
        assert {"extractor_fingerprint", "preprocessing", "reference_fingerprint", "quantisation", "n"} <= set(
            student.protocol
        )


def test_features_of_pairs_are_compared_on_the_whole_and_on_each_class(run: Run) -> None:
    whole = run.of("student", "feature_distance")
    assert (whole.against, whole.extractor, whole.n) == ("teacher@cpu/all", "pixels", 240)
    assert whole.per_sample is not None
    assert not [cell for cell in run.measurements if cell.name == "feature_distance" and cell.role == "teacher"]
    part = next(m for m in run.measurements if m.name == "feature_distance" and m.slice.startswith("class="))
    assert part.sample_ids is not None
    assert part.per_sample is not None
    np.testing.assert_array_equal(part.per_sample, whole.per_sample[part.sample_ids])


def test_the_protocol_tells_other_conditions_apart(run: Run, tmp_path: Path) -> None:
    other = suite_of(
        {"teacher": model(tmp_path, "near", "teacher"), "student": model(tmp_path, "good")}, num_samples=48
    )
    found = Run(other, run.store)
    assert found.of("student", "kid").protocol["n"] != run.of("student", "kid").protocol["n"]
    key = "against_fingerprint"
    assert found.of("student", "psnr").protocol[key] != run.of("student", "psnr").protocol[key]


def test_a_second_run_finds_everything(run: Run) -> None:
    again = Run(run.suite, run.store)
    assert again.cached("generate") == {"teacher@cpu/all", "student@cpu/all"}
    assert again.cached("extract") == {"pixels"}
    assert again.measurements == run.measurements
    assert again.missing == run.missing


def test_each_image_passes_an_extractor_once(run: Run) -> None:
    """Two metrics of one extractor make no second pass: the features of 2 x 4 + 20 chunks are there once."""
    features = next(size for size in run.store.size() if size.room == "features")
    assert features.entries <= 2 * 4 + 20 + 2 * 3


def test_a_student_without_a_teachers_samples_says_why(tmp_path: Path) -> None:
    models = {"teacher": model(tmp_path, "broken", "teacher"), "student": model(tmp_path, "good")}
    run = Run(suite_of(models), Store(tmp_path / "cache"))
    reasons = {(gap.model, gap.name): (gap.kind, gap.reason) for gap in run.missing}
    assert reasons["student", "psnr"] == ("failed", "the teacher has no samples: samples 0-16: RuntimeError: a bug")
    assert reasons["teacher", "fid"] == ("failed", "samples 0-16: RuntimeError: a bug")
    assert run.of("student", "kid").n == 40


def test_images_without_seeds_are_not_paired(tmp_path: Path) -> None:
    models = {"teacher": model(tmp_path, "good", "teacher"), "student": model(tmp_path, "near", seeded=False)}
    run = Run(suite_of(models), Store(tmp_path / "cache"))
    assert run.of("student", "kid").sample_ids is None
    assert run.of("teacher", "kid").sample_ids is not None
    assert {(gap.name, gap.kind) for gap in run.missing if gap.model == "student"} >= {("psnr", "skipped")}


def test_images_that_an_extractor_refuses_fail_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "tiny.npz", images=np.zeros((40, 1, 4, 4), np.uint8))
    tiny = {"role": "student", "adapter": "image_folder", "settings": {"path": str(tmp_path / "tiny.npz")}}
    run = Run(suite_of({"tiny": tiny, "good": model(tmp_path, "good")}, metrics=METRICS[:2]), Store(tmp_path / "c"))
    assert {(gap.model, gap.kind) for gap in run.missing} == {("tiny", "failed")}
    assert "at least 7x7, found 4x4" in run.missing[0].reason
    assert run.of("good", "fid").value > 0
