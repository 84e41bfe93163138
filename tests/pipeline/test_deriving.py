"""Derived slices in a whole run: found after extraction, measured like others, and no business of gates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite.pipeline.events import Event
from evalsuite.pipeline.runner import RunOptions, execute
from evalsuite.records import RunRecord
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import suite_of

SOURCE = '''
import numpy as np


def teacher(seeds, labels):
    """A bright field for each class, in noise."""
    pixels = np.stack([np.random.default_rng(seed).integers(0, 60, (1, 28, 28)) for seed in seeds])
    for image, label in zip(pixels, labels):
        image[0, 7 * (label // 4) :, 7 * (label % 4) :][:7, :7] += 150
    return pixels.astype(np.uint8)


def student(seeds, labels):
    """Other noise, and the fields of class 3 are blurred away."""
    pixels = teacher(np.asarray(seeds) + 1, labels)
    pixels[labels == 3] = pixels[labels == 3].mean(axis=2, keepdims=True).astype(np.uint8)
    return pixels


def alike(seeds, labels):
    return teacher(np.asarray(seeds) + 2, labels)
'''
DISCOVERED = {"kind": "discovered", "settings": {"extractor": "pixels", "clusters": 10}}


def suite(folder: Path, **more: Any) -> Suite:
    path = folder / "rows_of_the_test.py"
    path.write_text(SOURCE)
    models = {
        name: {
            "role": "teacher" if name == "teacher" else "student",
            "adapter": "python",
            "settings": {"callable": f"{path}:{name}", "version": "1"},
        }
        for name in ("teacher", "student", "alike")
    }
    metrics = [{"name": "psnr", "metric": "psnr"}]
    fields = {"num_samples": 300, "batch_size": 100, "metrics": metrics, "slices": [DISCOVERED], **more}
    return suite_of(models, **fields)


def run(suite: Suite, folder: Path, **options: Any) -> tuple[RunRecord, list[Event]]:
    events: list[Event] = []
    settings = RunOptions(out=folder / "run", cache=folder.parent / "cache", allow_code=True, **options)
    record, _ = execute(suite, settings, events.append)
    return record, events


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    folder = tmp_path_factory.mktemp("first")
    return run(suite(folder), folder)[0]


def test_a_blurred_class_is_found_and_measured(record: RunRecord) -> None:
    (note,) = record.slices
    assert (note.kind, note.derived, note.base) == ("discovered", True, "all")
    (finding,) = record.findings
    assert (finding.audit, finding.severity, finding.case_key) == ("discovered", "warning", "student@cpu/all")
    assert finding.evidence.startswith(f"{note.id}: 30 samples, 100% dress: the student has 0.")
    psnr = {m.model: m for m in record.measurements if (m.name, m.slice) == ("psnr", note.id)}
    assert set(psnr) == {"student", "alike"}
    assert psnr["student"].sample_ids is not None
    assert set(psnr["student"].sample_ids % 10) == {3}


def test_the_gallery_shows_members_of_what_was_found(record: RunRecord) -> None:
    (note,), (finding,) = record.slices, record.findings
    assert finding.slice == note.id
    shown = [picture for picture in record.gallery if picture.case_key.endswith(f"/{note.id}")]
    by_model = {
        name: [p.sample_id for p in shown if p.case_key.startswith(f"{name}@")] for name in ("teacher", "student")
    }
    assert by_model["teacher"] == by_model["student"]
    assert len(by_model["student"]) == 10
    assert {picture.label for picture in shown} == {"dress"}


def test_a_choice_of_slices_keeps_what_was_found(tmp_path: Path) -> None:
    found, events = run(suite(tmp_path), tmp_path, only={"slice": ["class=*"]})
    assert found.slices == []
    assert len(found.findings) == 1
    assert [event.key for event in events if event.stage == "derive"] == ["discovered"]


def test_without_students_nothing_is_looked_for(tmp_path: Path) -> None:
    found, _ = run(suite(tmp_path), tmp_path, only={"model": ["teacher"]})
    (finding,) = found.findings
    assert (finding.severity, found.slices) == ("warning", [])
    assert "no student's samples are there to compare" in finding.evidence


def test_too_few_samples_end_nothing(tmp_path: Path) -> None:
    found, _ = run(suite(tmp_path), tmp_path, samples=40)
    (finding,) = found.findings
    assert finding.evidence == ("no slices were looked for: 10 clusters need 100 samples, found 40; ask for fewer")
    assert found.measurements
