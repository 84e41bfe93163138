"""``evalsuite measure`` and ``evalsuite statistics``, called as a user of torch-fidelity or clean-fid would."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import evalsuite as package
from tests.conftest import Command
from tests.direct.files import clouds, pictures, save_folder, save_zip


@pytest.fixture
def images(tmp_path: Path) -> Path:
    save_folder(tmp_path / "G", pictures(40))
    save_zip(tmp_path / "R.zip", pictures(50, seed=1))
    return tmp_path


@pytest.fixture
def features(tmp_path: Path) -> Path:
    np.save(tmp_path / "G.npy", clouds())
    np.save(tmp_path / "R.npy", clouds(seed=1))
    return tmp_path


IMAGES = ("measure", "--generated", "G", "--reference", "R.zip", "--extractor", "pixels")
FEATURES = ("measure", "-g", "G.npy", "-r", "R.npy")


def test_json_is_all_there_is_on_stdout(evalsuite: Command, images: Path) -> None:
    done = evalsuite(*IMAGES, "--metrics", "fid,kid,precision,recall", "--format", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert list(document) == ["measurements", "missing"]
    assert [one["metric"] for one in document["measurements"]] == ["fid", "kid", "precision", "recall"]
    for one in document["measurements"]:
        assert list(one) == ["metric", "value", "unit", "n", "higher_is_better", "interval", "protocol"]
        assert set(one["interval"]) == {"low", "high", "level", "method"}
        assert {"extractor", "extractor_fingerprint", "preprocessing", "reference_fingerprint"} <= set(one["protocol"])
    assert document["missing"] == []


def test_the_command_and_python_give_the_same(evalsuite: Command, features: Path) -> None:
    (shown,) = json.loads(evalsuite(*FEATURES, "--format", "json").stdout)["measurements"]
    (found,), _ = package.measure(generated=features / "G.npy", reference=features / "R.npy")
    assert (shown["value"], shown["protocol"]) == (found.value, found.protocol)


def test_a_table_for_people(evalsuite: Command, features: Path) -> None:
    done = evalsuite(*FEATURES, "-m", "fid,precision")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "not stated" in rows["fid"]
    assert "[0." in rows["precision"]
    assert "300" in rows["precision"]


def test_warnings_and_progress_go_to_stderr(evalsuite: Command, images: Path) -> None:
    done = evalsuite(*IMAGES)
    assert "biased" in done.stderr
    assert "extract" in done.stderr
    assert "extract" not in evalsuite(*IMAGES, "--quiet").stderr


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_metric_without_a_number_is_exit_code_4(evalsuite: Command, features: Path, form: str) -> None:
    done = evalsuite(*FEATURES, "-m", "fid,psnr", "--format", form)
    assert done.returncode == 4
    assert "fid" in done.stdout
    assert "psnr: skipped: needs images on both sides" in done.stderr
    if form == "json":
        (gap,) = json.loads(done.stdout)["missing"]
        assert gap == {
            "metric": "psnr",
            "kind": "skipped",
            "reason": "needs images on both sides, and there are only features",
        }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["measure"], "Missing option '--generated'"),
        (["measure", "-g", "absent", "-r", "R.npy"], "absent: does not exist"),
        (["measure", "-g", "G.npy", "-r", "."], "found no images"),
        ([*FEATURES, "-m", "fidd"], "did you mean 'fid'"),
        ([*FEATURES, "-m", ","], "--metrics: found none"),
        ([*FEATURES, "-m", "latency"], "latency times a model"),
        ([*FEATURES, "--format", "yaml"], "--format"),
        ([*FEATURES, "--batch-size", "0"], "--batch-size"),
        (["statistics", "R.npy"], "--out"),
        (["statistics", "R.npy", "-o", "ref.npz"], "ending in .safetensors"),
        (["statistics", "absent", "-o", "ref.safetensors"], "absent: does not exist"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(
    evalsuite: Command, features: Path, arguments: list[str], message: str
) -> None:
    done = evalsuite(*arguments)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_damaged_image_is_named(evalsuite: Command, images: Path) -> None:
    (images / "G" / "0007.png").write_bytes((images / "G" / "0007.png").read_bytes()[:50])
    done = evalsuite(*IMAGES, "--format", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "G: 0007.png: cannot be read as an image" in done.stderr


def test_statistics_are_written_once_and_used_again(evalsuite: Command, images: Path) -> None:
    done = evalsuite("statistics", "R.zip", "-o", "ref.safetensors", "--extractor", "pixels")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ref.safetensors: 49 features of 50 samples\n"
    assert (images / "ref.safetensors").is_file()
