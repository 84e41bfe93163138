"""Baselines: a round trip, their size, and what is noticed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from evalsuite.compare.baseline import load, load_all, save
from evalsuite.compare.difference import difference
from evalsuite.errors import RecordError, UsageError
from evalsuite.records import Family
from tests.compare.inputs import measurement, of_groups, of_processes, of_rounds, of_samples, record

RANDOM = np.random.default_rng(0)


def a_record():
    return record(
        of_samples(RANDOM.normal(20, 3, 100)),
        of_samples((RANDOM.uniform(size=100) < 0.8).astype(float), Family.PROPORTION),
        of_groups(lambda x: float(x.var()), RANDOM.normal(size=100)),
        of_rounds(RANDOM.lognormal(-3, 0.1, 12)),
        of_processes(np.array([1e8, 1.1e8, 1e8])),
    )


def test_what_was_saved_compares_with_itself_as_equal(tmp_path):
    run = a_record()
    paths = save(run, "main", tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == ["small/main.json", "small/main.safetensors"]
    kept = load_all("small", tmp_path)["main"]
    assert len(kept.measurements) == len(run.measurements)
    for ours in run.measurements:
        theirs = kept.find(ours.identity)
        assert theirs.model_dump() == ours.model_dump()
        assert {name: array.dtype for name, array in theirs.arrays().items()} == {
            name: array.dtype for name, array in ours.arrays().items()
        }
        found = difference(ours, theirs)
        assert found.p_value in (None, pytest.approx(1))
        assert found.better is None


def test_replicates_are_kept_exactly(tmp_path):
    run = a_record()
    kept = load(save(run, "main", tmp_path)[0])
    for ours in run.measurements:
        if ours.replicates is not None:
            assert np.array_equal(kept.find(ours.identity).replicates, ours.replicates)


def test_four_models_of_a_thousand_samples_fit_in_a_megabyte(tmp_path):
    slices = {"all": np.arange(1000), "latent.scale=1.1": np.arange(1000)}
    slices |= {f"class={i}": np.arange(i, 1000, 10) for i in range(10)}
    protocol = {
        "extractor": "fashion-cnn", "extractor_fingerprint": "0123456789abcdef" * 4, "preprocessing": "unit-range",
        "reference_fingerprint": "0123456789abcdef" * 4, "n": 1000, "estimator": "U-statistic", "quantisation": "uint8",
    }  # fmt: skip
    cells = []
    for model in ("teacher", "a", "b", "c"):
        for slice, ids in slices.items():
            for name in ("kid", "psnr", "ssim", "class_accuracy", "precision"):
                values = RANDOM.normal(size=len(ids))
                if name in ("class_accuracy", "precision"):
                    values = (values > 0).astype(float)
                one = measurement(
                    Family.MEAN, 0.0, model=model, slice=slice, ids=ids, per_sample=values, name=name, protocol=protocol
                )
                cells.append(one)
    paths = save(record(*cells), "main", tmp_path)
    assert sum(path.stat().st_size for path in paths) < 1_000_000


@pytest.mark.parametrize("name", ["../main", "", "a/b", ".hidden"])
def test_names_stay_inside_the_folder(tmp_path, name):
    with pytest.raises(UsageError, match="baseline name"):
        save(a_record(), name, tmp_path)


class TestDamage:
    def test_a_changed_number(self, tmp_path):
        path = save(a_record(), "main", tmp_path)[0]
        content = json.loads(path.read_text())
        content["measurements"][3]["value"] = 1.0
        path.write_text(json.dumps(content))
        with pytest.raises(RecordError, match="checksum"):
            load(path)

    def test_changed_arrays(self, tmp_path):
        path, arrays = save(a_record(), "main", tmp_path)
        packed = bytearray(arrays.read_bytes())
        packed[-1] ^= 1
        arrays.write_bytes(packed)
        with pytest.raises(RecordError, match="checksum"):
            load(path)

    def test_arrays_that_are_gone(self, tmp_path):
        path, arrays = save(a_record(), "main", tmp_path)
        arrays.unlink()
        with pytest.raises(RecordError, match="cannot be read: there is no such file, and the JSON beside it needs it"):
            load(path)

    def test_a_newer_format(self, tmp_path):
        path = save(a_record(), "main", tmp_path)[0]
        content = json.loads(path.read_text()) | {"format_version": 99}
        path.write_text(json.dumps(content))
        with pytest.raises(RecordError, match="format version 99"):
            load(path)
