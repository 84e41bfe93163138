"""Run records: what is saved comes back, what was changed is noticed, what is volatile does not count."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evalsuite.errors import RecordError
from evalsuite.records import Family, Finding, Identity, Measurement, Picture, RunRecord, Timings
from tests.compare.inputs import measurement, missing, of_count, of_groups, of_processes, of_rounds, of_samples, record

RANDOM = np.random.default_rng(0)
FID = of_groups(lambda x: float(x.var()), RANDOM.normal(size=100))
PSNR = of_samples(RANDOM.normal(20, 3, 50))
LATENCY = of_rounds(RANDOM.lognormal(-3, 0.1, 12))
MEMORY = of_processes([1e8, 1.1e8, 1e8])


def a_record(**changes) -> RunRecord:
    timings = Timings(
        case_key="student@cpu/all", scenario="single_stream", batch_size=1, unit="s", warmups=3,
        values=[[0.1, 0.2]], environment={"threads": 2},
    )  # fmt: skip
    picture = Picture(sample_id=0, case_key="student@cpu/all", label="ä <b>", file="gallery/0.png", sha256="0" * 64)
    finding = Finding(audit="duplicates", severity="info", evidence="none")
    return record(FID, PSNR, LATENCY, MEMORY, missing("kid")).model_copy(
        update={"timings": [timings], "gallery": [picture], "findings": [finding], **changes}
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    a_record().save(tmp_path)
    return tmp_path


def test_what_was_saved_comes_back(saved):
    kept = RunRecord.load(saved)
    assert kept == a_record()
    assert RunRecord.load(saved / "record.json") == kept
    for ours, theirs in zip(a_record().measurements, kept.measurements, strict=True):
        for name, array in ours.arrays().items():
            assert getattr(theirs, name).dtype == array.dtype
            assert np.array_equal(getattr(theirs, name), array)


def test_saving_twice_gives_the_same_bytes(saved, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    RunRecord.load(saved).save(other)
    for name in ("record.json", "arrays.safetensors"):
        assert (other / name).read_bytes() == (saved / name).read_bytes()


def test_measurements_differ_if_their_arrays_do():
    moved = PSNR.model_copy(update={"per_sample": PSNR.per_sample + 1})
    assert moved != PSNR
    assert PSNR.model_copy() == PSNR


class TestContentHash:
    def test_what_a_clock_or_host_says_does_not_count(self):
        faster = LATENCY.model_copy(update={"value": LATENCY.value / 2})
        changed = a_record(
            environment={"processor": "another"},
            provenance={"started": "now"},
            timings=[],
            measurements=[PSNR, FID, faster],
        )
        assert changed.content_hash == a_record().content_hash

    def test_shares_of_frames_that_were_timed_do_not_count_and_exact_numbers_do(self):
        late, network = (measurement(Family.MEAN, 0.1, per_sample=np.full(6, 0.1)), of_count(1784))
        late = late.model_copy(update={"name": "deadline_misses", "protocol": {"scenario": "realtime:fps=30"}})
        with_both = a_record(measurements=[FID, PSNR, late, network])
        assert with_both.content_hash == a_record(measurements=[FID, PSNR, network]).content_hash
        assert with_both.content_hash != a_record(measurements=[FID, PSNR, late]).content_hash

    def test_the_reason_of_a_failure_does_not_count_but_its_kind_does(self):
        same = a_record(missing=[missing("kid", reason="signal 9 after 3.1 s")])
        other = a_record(missing=[missing("kid", kind="skipped")])
        assert same.content_hash == a_record().content_hash != other.content_hash

    @pytest.mark.parametrize(
        "changes",
        [
            {"measurements": [FID, PSNR.model_copy(update={"value": 1.0})]},
            {"measurements": [FID, PSNR.model_copy(update={"per_sample": np.nextafter(PSNR.per_sample, 99)})]},
            {"measurements": [FID, PSNR.model_copy(update={"protocol": {"k": 5}})]},
            {"measurements": [FID]},
            {"missing": []},
            {"suite_hash": "other"},
            {"gallery": []},
            {"findings": []},
        ],
    )
    def test_everything_else_counts(self, changes):
        assert a_record(**changes).content_hash != a_record().content_hash


class TestDamage:
    @staticmethod
    def rewrite(folder: Path, **changes) -> None:
        content = json.loads((folder / "record.json").read_text("utf-8"))
        (folder / "record.json").write_text(json.dumps(content | changes), "utf-8")

    def test_a_changed_number(self, saved):
        content = json.loads((saved / "record.json").read_text("utf-8"))
        content["measurements"][0]["value"] = 0.1
        self.rewrite(saved, measurements=content["measurements"])
        with pytest.raises(RecordError, match="content_hash"):
            RunRecord.load(saved)

    def test_changed_arrays(self, saved):
        packed = bytearray((saved / "arrays.safetensors").read_bytes())
        packed[-1] ^= 1
        (saved / "arrays.safetensors").write_bytes(packed)
        with pytest.raises(RecordError, match="checksum"):
            RunRecord.load(saved)

    def test_arrays_cut_short(self, saved):
        packed = (saved / "arrays.safetensors").read_bytes()
        (saved / "arrays.safetensors").write_bytes(packed[: len(packed) // 2])
        with pytest.raises(RecordError, match="cut short"):
            RunRecord.load(saved)

    @pytest.mark.parametrize(
        ("version", "advice"), [(2, "newer evalsuite"), (99, "newer evalsuite"), ("1", "run its suite"), (None, "run")]
    )
    def test_another_format(self, saved, version, advice):
        self.rewrite(saved, format_version=version)
        with pytest.raises(RecordError, match=f"this evalsuite reads 1; .*{advice}"):
            RunRecord.load(saved)

    @pytest.mark.parametrize("changes", [{"unknown": 1}, {"measurements": [{}]}, {"measurements": 3}, {"suite": None}])
    def test_other_fields(self, saved, changes):
        self.rewrite(saved, **changes)
        with pytest.raises(RecordError, match="not a run record"):
            RunRecord.load(saved)

    @pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", "[" * 5000])
    def test_no_record_at_all(self, saved, text):
        (saved / "record.json").write_text(text, "utf-8")
        with pytest.raises(RecordError):
            RunRecord.load(saved)

    @pytest.mark.parametrize("name", ["record.json", "arrays.safetensors"])
    def test_a_file_that_is_gone(self, saved, name):
        (saved / name).unlink()
        with pytest.raises(RecordError, match="cannot be read"):
            RunRecord.load(saved)


def test_find():
    run = a_record()
    assert run.find(PSNR.identity) == PSNR
    assert run.find(Identity("student@cpu/all", "kid", "reference")).kind == "failed"
    assert run.find(Identity("nobody@cpu/all", "kid", "reference")) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_measurement_is_a_number(value):
    with pytest.raises(ValueError, match="finite"):
        Measurement(
            name="x", metric="x", case_key="a@b/all", model="a", role="student", target="b", slice="all",
            value=value, family=Family.MEAN, n=1,
        )  # fmt: skip


def test_a_frame_has_the_same_columns_and_types_whatever_it_holds():
    full, empty = a_record().frame(), a_record(measurements=[]).frame()
    assert len(full) == 4
    assert full.set_index("name").loc["fid", "value"] == FID.value
    assert full.set_index("name").loc["fid", ["low", "high"]].tolist() == [FID.interval.low, FID.interval.high]
    assert not {"sample_ids", "replicates", "interval"} & set(full.columns)
    assert (full.dtypes == empty.dtypes).all()
