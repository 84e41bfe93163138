"""Export: what trackers are told, read back from real stores, and what is said where an extra is missing."""

from __future__ import annotations

import struct
import sys
import warnings
from pathlib import Path

import pytest

from evalsuite.errors import UsageError
from evalsuite.export import mlflow as to_mlflow
from evalsuite.export import tensorboard as to_tensorboard
from evalsuite.export import wandb as to_wandb
from evalsuite.export.values import Export, exports, key_of
from evalsuite.reports.contract import ReportInputs
from tests.reports import synthetic
from tests.reports.hostile import TEXTS, hostile_inputs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    made = synthetic.quickstart(tmp_path_factory.mktemp("run"))
    made.record.save(made.folder)
    return made


@pytest.fixture(scope="module")
def narrow(run: ReportInputs) -> list[Export]:
    return [one for one in exports(run.record, "run-1") if one.name == "narrow@cpu"]


def test_a_model_on_a_target_has_its_settings_and_numbers(run: ReportInputs, narrow: list[Export]) -> None:
    assert [one.name for one in exports(run.record, "run-1")] == [f"{model}@cpu" for model in synthetic.MODELS]
    (one,) = narrow
    assert (one.project, one.ended.isoformat()) == ("quickstart", "2025-03-04T12:03:28+00:00")
    assert one.settings["model.settings.num_steps"] == "8"
    assert one.settings["run"] == "run-1"
    fid = synthetic.measurement("fid", "narrow")
    assert one.numbers["fid"] == fid.value
    assert fid.interval is not None
    assert one.numbers["fid.high"] == fid.interval.high
    assert "class_bag/kid" in one.numbers


def test_what_is_invalid_is_left_out(narrow: list[Export]) -> None:
    assert not any(key.startswith("latency") for key in narrow[0].numbers)


def test_nothing_to_export_is_an_error(run: ReportInputs) -> None:
    empty = run.record.model_copy(update={"measurements": []})
    with pytest.raises(UsageError, match="found no valid measurement to export"):
        exports(empty, "run-1")


def test_hostile_names_become_plain_keys(run: ReportInputs) -> None:
    found = exports(hostile_inputs(run).record, "run-1")
    assert len(found) == len(TEXTS)
    assert all(key == key_of(key) for one in found for key in (*one.numbers, *one.settings))


def test_numbers_whose_keys_are_alike_stay_apart(run: ReportInputs) -> None:
    cells = [synthetic.measurement("kid", "narrow", slice_id=name) for name in ("class=a&b", "class=a|b")]
    (one,) = exports(run.record.model_copy(update={"measurements": cells}), "run-1")
    assert {"class_a_b/kid", "class_a_b/kid-2"} <= set(one.numbers)


def test_mlflow_reads_it_back(
    run: ReportInputs, narrow: list[Export], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        made = to_mlflow.send(narrow, run.folder / "record.json", tmp_path.as_uri())
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=tmp_path.as_uri())
        experiment = client.get_experiment_by_name("quickstart")
        (found,) = client.search_runs([experiment.experiment_id])
    assert made == ["experiment quickstart, run narrow_cpu"]
    assert found.data.metrics == pytest.approx(dict(narrow[0].numbers))
    assert found.data.params == dict(narrow[0].settings)
    assert [file.path for file in client.list_artifacts(found.info.run_id)] == ["record.json"]


def test_mlflow_says_what_a_store_refuses(narrow: list[Export], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UsageError, match="choose a store with --place"):
            to_mlflow.send(narrow, tmp_path / "record.json", "nowhere://x")


def test_tensorboard_reads_it_back(narrow: list[Export], tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    (folder,) = to_tensorboard.send(narrow, tmp_path, str(tmp_path))
    assert Path(folder).relative_to(tmp_path) == Path("quickstart/run-1/narrow-cpu")
    (file,) = Path(folder).iterdir()
    content, at, found = file.read_bytes(), 0, {}
    while at < len(content):  # length, its checksum, the event, its checksum
        (length,) = struct.unpack_from("<Q", content, at)
        event = Event.FromString(content[at + 12 : at + 12 + length])
        found |= {value.tag: value.simple_value for value in event.summary.value}
        at += 16 + length
    assert {key: found[key] for key in narrow[0].numbers} == pytest.approx(dict(narrow[0].numbers), rel=1e-6)
    assert "settings/text_summary" in found


def test_tensorboard_says_where_it_cannot_write(narrow: list[Export], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        to_tensorboard.send(narrow, tmp_path, str(tmp_path / "file"))


def test_wandb_writes_a_run_that_can_be_sent_later(narrow: list[Export], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        (folder,) = to_wandb.send(narrow, tmp_path, str(tmp_path))
        import wandb

        wandb.teardown()  # as at the end of the program: its writing process has ended then
    (file,) = Path(folder).glob("*.wandb")
    content = file.read_bytes()
    assert Path(folder).name.startswith("offline-run-")
    assert b"class_bag/kid" in content
    assert b"suite_hash" in content


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [(to_mlflow, "mlflow", "mlflow"), (to_tensorboard, "tensorboardX", "tensorboard"), (to_wandb, "wandb", "wandb")],
)
def test_a_missing_extra_is_named(
    module: object, package: str, extra: str, narrow: list[Export], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"pip install 'evalsuite\[{extra}\]'"):
        module.send(narrow, tmp_path, None)  # type: ignore[attr-defined]
