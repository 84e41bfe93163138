"""Whole runs: from a suite to the report, again from the cache, through kills, damage and crashes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import yaml

import evalsuite
from evalsuite.errors import Interrupted, StoreError, UsageError
from evalsuite.pipeline.events import Event
from evalsuite.records import RunRecord
from evalsuite.session import Session, render, run
from evalsuite.suite.schema import Suite
from tests.pipeline.user_models import model, suite_of

ROOT = Path(__file__).parents[1]

PROGRAM = """
import json, sys
from pathlib import Path
import evalsuite
from evalsuite.suite.schema import Suite

suite = Suite.model_validate_json(Path(sys.argv[1]).read_text())
session = evalsuite.run(suite, out=sys.argv[2], cache=sys.argv[3], allow_code=True)
print(json.dumps([session.record.content_hash, session.exit_code, "torch" in sys.modules]))
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A run that tests look at and leave as it is; its cache lies beside its folder."""
    folder = tmp_path_factory.mktemp("finished")
    return in_process(small_suite(folder), folder)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return small_suite(tmp_path)


def small_suite(folder: Path) -> Suite:
    """A teacher and a student that needs 0.15 s for a batch, so that a run can be interrupted."""
    models = {"teacher": model(folder, "good", "teacher"), "student": model(folder, "slow")}
    return suite_of(models, num_samples=80, slices=[{"kind": "attribute", "settings": {"by": "class"}}])


def start(suite: Suite, folder: Path, out: str, cache: str = "cache") -> subprocess.Popen[str]:
    """A run in a process of its own."""
    (folder / "suite.json").write_text(suite.model_dump_json())
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder / "suite.json", folder / out, folder / cache],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )


def outcome(process: subprocess.Popen[str]) -> tuple[str, int, bool]:
    """content_hash, exit code, and whether torch was imported."""
    answer, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    content_hash, exit_code, torch = json.loads(answer)
    return content_hash, exit_code, torch


def in_process(suite: Suite, folder: Path, out: str = "run", cache: str = "cache") -> Session:
    return run(suite, out=folder / out, cache=folder / cache, allow_code=True)


def test_a_run_leaves_everything_in_its_folder(finished: Session) -> None:
    session, suite = finished, small_suite(finished.folder.parent)
    assert session.exit_code == 0
    loaded = evalsuite.RunRecord.load(session.folder)
    assert loaded == session.record
    assert Suite.model_validate(loaded.suite) == suite
    assert Suite.model_validate(yaml.safe_load((session.folder / "suite.yaml").read_text())) == suite
    assert {path.name for path in session.folder.iterdir()} >= {
        "record.json", "arrays.safetensors", "measurements.parquet", "suite.yaml", "events.jsonl", "gallery", "report",
    }  # fmt: skip
    events = [json.loads(line) for line in (session.folder / "events.jsonl").read_text().splitlines()]
    assert [event["stage"] for event in events if event["kind"] == "stage"][:3] == ["plan", "generate", "extract"]


def test_the_table_of_measurements_has_a_row_for_each(finished: Session) -> None:
    import pandas as pd

    session = finished
    table = pd.read_parquet(session.folder / "measurements.parquet")
    pd.testing.assert_frame_equal(table, session.record.frame())
    assert table["value"].tolist() == [m.value for m in session.record.measurements]
    assert json.loads(table["protocol"][0]) == session.record.measurements[0].protocol


def test_the_gallery_shows_the_same_samples_of_every_model(finished: Session) -> None:
    from PIL import Image

    gallery = finished.record.gallery
    drawn = {
        key: [p.sample_id for p in gallery if p.case_key == key and p.drawn and p.shows == "sample"]
        for key in ("teacher@cpu/all", "student@cpu/all")
    }
    assert drawn["teacher@cpu/all"] == drawn["student@cpu/all"]
    assert len(drawn["teacher@cpu/all"]) == 20
    for picture in gallery:
        with Image.open(finished.folder / picture.file) as image:
            assert image.size == (28, 28)
    assert gallery[7].label == "sneaker"
    assert {picture.shows for picture in gallery} == {"sample", "nearest"}


def test_a_second_run_is_all_from_the_cache_without_torch(finished: Session) -> None:
    folder = finished.folder.parent
    content_hash, exit_code, torch = outcome(start(small_suite(folder), folder, "second"))
    assert (content_hash, exit_code, torch) == (finished.record.content_hash, 0, False)
    events = (folder / "second" / "events.jsonl").read_text()
    assert '"progress", "stage": "generate"' not in events
    assert '"progress", "stage": "extract"' not in events


def test_killed_at_any_moment_it_goes_on(finished: Session, tmp_path: Path) -> None:
    """kill -9 of the run, three times at random moments; then the same again gives what an unbroken run gives."""
    suite = small_suite(finished.folder.parent)
    moments = random.Random(0)
    for attempt in range(3):
        process = start(suite, tmp_path, "run")
        time.sleep(moments.uniform(0.5, 3.0) + attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    # Both in fresh processes: how this one has set its threads may change the last digit of a sum.
    content_hash, exit_code, _ = outcome(start(suite, tmp_path, "run"))
    unbroken, _, _ = outcome(start(suite, tmp_path, "unbroken", cache="another"))
    assert (content_hash, exit_code) == (unbroken, 0)
    assert RunRecord.load(tmp_path / "run").content_hash == content_hash


@pytest.mark.parametrize("flaw", ["flipped", "cut"])
def test_a_damaged_cache_heals(suite: Suite, tmp_path: Path, flaw: str) -> None:
    """One file of each room is spoilt; the next run notices, makes them again, and finds the same."""
    first = in_process(suite, tmp_path)
    for room in ("samples", "features", "measurements"):
        path = sorted(path for path in (tmp_path / "cache" / room).rglob("*") if path.is_file())[0]
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content if flaw == "flipped" else content[: len(content) // 2])
    again = in_process(suite, tmp_path, "again")
    assert again.record.content_hash == first.record.content_hash


def test_two_runs_share_a_cache(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    processes = [start(suite, tmp_path / name, "run", "../cache") for name in ("a", "b")]
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(outcome, processes)
    assert one[:2] == two[:2]
    assert one[1] == 0


def test_a_crash_is_one_models_and_the_exit_code_says_so(tmp_path: Path) -> None:
    models = {
        "teacher": model(tmp_path, "good", "teacher"),
        "bad": model(tmp_path, "killed"),
        "fine": model(tmp_path, "near"),
    }
    session = in_process(suite_of(models), tmp_path)
    assert session.exit_code == 4
    assert {gap.model for gap in session.record.missing if gap.kind == "failed"} == {"bad"}
    assert {m.model for m in session.record.measurements} == {"teacher", "fine"}
    assert (session.folder / "report" / "measurements.csv").exists()


def test_a_read_only_cache_is_a_clear_error(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"the cache cannot be written: .*--cache"):
        in_process(suite, tmp_path)


def test_more_samples_later_are_those_of_a_fresh_run(finished: Session, tmp_path: Path) -> None:
    suite = small_suite(finished.folder.parent)
    run(suite, out=tmp_path / "few", cache=tmp_path / "cache", samples=48, allow_code=True)
    extended = in_process(suite, tmp_path, "extended")
    assert extended.record.content_hash == finished.record.content_hash


def test_a_model_without_a_version_leaves_no_samples(tmp_path: Path) -> None:
    in_process(suite_of({"m": model(tmp_path, "good", version=None)}), tmp_path)
    assert not [path for path in (tmp_path / "cache" / "samples").rglob("*") if path.is_file()]


def test_the_users_code_needs_permission(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--allow-code"):
        run(suite, out=tmp_path / "run", cache=tmp_path / "cache")
    assert not (tmp_path / "run").exists()


def test_a_folder_of_something_else_is_left_alone(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="a folder with other files in it"):
        in_process(suite, tmp_path)


def test_ctrl_c_says_how_to_go_on(suite: Suite, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if event.kind == "progress" and event.stage == "generate" and event.done > 0:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"To go on from there, run again: evalsuite run .*--allow-code") as caught:
        run(suite, out=tmp_path / "run", cache=tmp_path / "cache", allow_code=True, listener=interrupt)
    assert caught.value.exit_code == 130
    assert in_process(suite, tmp_path).exit_code == 0


def test_ctrl_c_ends_the_children(suite: Suite, tmp_path: Path) -> None:
    """A real interrupt of the whole run: it says what to do, and no process is left."""
    process = start(suite, tmp_path, "run")
    deadline = time.monotonic() + 60
    while not (children := psutil.Process(process.pid).children(recursive=True)) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "Interrupted: stopped; what is finished is in the cache" in errors
    assert children
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_reports_can_be_written_again_from_the_folder(finished: Session) -> None:
    csv = finished.folder / "report" / "measurements.csv"
    before = csv.read_bytes()
    csv.unlink()
    assert csv in render(finished.folder, formats=["csv"])
    assert csv.read_bytes() == before


def test_the_api_is_small() -> None:
    assert set(evalsuite.__all__) == {"RunRecord", "__version__", "difference", "load_suite", "measure", "run"}
    assert evalsuite.run is run
    assert evalsuite.RunRecord is RunRecord
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        evalsuite.runn  # noqa: B018
