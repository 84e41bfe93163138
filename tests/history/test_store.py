"""The history's store: what goes in comes out once, whoever else writes, and in one piece or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evalsuite.errors import RecordError, StoreError, UnknownNameError, UsageError
from evalsuite.history.points import points_of
from evalsuite.history.store import History, Selection
from tests.conftest import ROOT
from tests.history.runs import commit, filled, points, psnr, run_of

WRITER = """
import sys
from evalsuite.history.store import History
from tests.history.runs import points

for number in range(int(sys.argv[2]), int(sys.argv[3])):
    History(sys.argv[1], create=True).add(points(number))
"""

KILLED = """
import os, sys
from sqlalchemy import event
from evalsuite.history.store import History
from tests.history.runs import points

history = History(sys.argv[1])
@event.listens_for(history.engine, "after_cursor_execute")
def die(connection, cursor, statement, *rest):
    if "INSERT INTO points" in statement:
        os._exit(9)

history.add(points(1))
"""


def program(source: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that works on a store."""
    command = [sys.executable, "-c", source, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    history = History(str(tmp_path / "deep" / "history.db"), create=True)
    run = points(3)
    assert history.add(run)
    assert history.suites() == ["small"]
    found = {series.key: series for series in history.read("small", Selection())}
    assert set(found) == set(run.values)
    for key, value in run.values.items():
        (point,) = found[key].points
        assert (point.commit, point.at) == commit(3)
        assert (point.value, point.n) == (value.value, value.n)
        assert (found[key].unit, found[key].higher_is_better) == (value.unit, value.higher_is_better)
        assert point.interval is not None and value.interval is not None
        assert (point.interval.low, point.interval.high) == (value.interval.low, value.interval.high)
        assert np.array_equal(point.deviations, value.deviations) or point.deviations is value.deviations is None


def test_a_run_is_added_once(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history.db"), create=True)
    run = run_of(psnr(20.0))
    assert [history.add(points_of(run)), history.add(points_of(run))] == [True, False]
    assert [len(series.points) for series in history.read("small", Selection())] == [1]
    with pytest.raises(UsageError, match="already, under commit 0000"):
        history.add(points_of(run, commit(5)))


def test_a_commit_that_is_measured_again_has_its_newest_value(tmp_path: Path) -> None:
    history = filled(tmp_path / "history.db", [20.0, 21.0])
    again = run_of(psnr(22.0), number=0)
    again.provenance["started"] = "2024-06-01T00:00:00+00:00"
    assert history.add(points_of(again))
    (series,) = history.read("small", Selection())
    assert [point.commit[:4] for point in series.points] == ["0000", "0001"]
    assert series.points[0].value == pytest.approx(series.points[1].value + 1)


def test_old_commits_that_are_measured_late_stand_in_their_place(tmp_path: Path) -> None:
    history = History(str(tmp_path / "history.db"), create=True)
    for number in (3, 1, 2):
        history.add(points(number))
    (series, _) = sorted(history.read("small", Selection()), key=lambda one: one.key.name, reverse=True)
    assert [point.commit[:4] for point in series.points] == ["0001", "0002", "0003"]
    (last,) = history.read("small", Selection(metric="psnr"), last=2)
    assert [point.commit[:4] for point in last.points] == ["0002", "0003"]


def test_another_protocol_is_another_series(tmp_path: Path) -> None:
    history = filled(tmp_path / "history.db", [20.0])
    history.add(points_of(run_of(psnr(20.0, protocol={"data_range": 255}), number=1)))
    found = history.read("small", Selection())
    assert [len(series.points) for series in found] == [1, 1]
    assert len({series.key.protocol_hash for series in found}) == 2


class TestSelection:
    def test_globs(self, tmp_path: Path) -> None:
        history = History(str(tmp_path / "history.db"), create=True)
        history.add(points_of(run_of(psnr(20.0), psnr(20.0, model="other"), psnr(20.0, slice="class=bag"))))
        found = history.read("small", Selection(model="stud*", slice="class=*"))
        assert [series.key.case_key for series in found] == ["student@cpu/class=bag"]

    @pytest.mark.parametrize(("kind", "name", "near"), [("metric", "pnsr", "psnr"), ("model", "studnt", "student")])
    def test_an_unknown_name(self, tmp_path: Path, kind: str, name: str, near: str) -> None:
        with pytest.raises(UnknownNameError, match=f"unknown {kind} '{name}'; did you mean '{near}'"):
            filled(tmp_path / "history.db", [20.0]).read("small", Selection(**{kind: name}))

    def test_names_that_never_meet(self, tmp_path: Path) -> None:
        history = History(str(tmp_path / "history.db"), create=True)
        history.add(points_of(run_of(psnr(20.0), psnr(20.0, model="other", slice="class=bag"))))
        with pytest.raises(UsageError, match="no series that is all"):
            history.read("small", Selection(model="other", slice="all"))


class TestWriters:
    def test_two_at_once_lose_nothing(self, tmp_path: Path) -> None:
        """Both make the file, the tables and the series, and some of their runs are the same."""
        store = tmp_path / "history.db"
        writers = [program(WRITER, store, *numbers) for numbers in ((0, 12), (8, 20))]
        for writer in writers:
            _, errors = writer.communicate(timeout=120)
            assert writer.returncode == 0, errors
        found = History(str(store)).read("small", Selection(metric="psnr"))
        assert [int(point.commit[:4], 16) for point in found[0].points] == list(range(20))

    def test_one_that_is_killed_leaves_nothing(self, tmp_path: Path) -> None:
        history = filled(tmp_path / "history.db", [20.0])
        writer = program(KILLED, tmp_path / "history.db")
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 9, errors
        assert [len(series.points) for series in history.read("small", Selection())] == [1]
        assert history.add(points(1))
        assert len(history.read("small", Selection())) == 2

    def test_a_store_that_cannot_be_written(self, tmp_path: Path) -> None:
        history = filled(tmp_path / "history.db", [20.0])
        with history.engine.begin() as connection:
            refuse = "CREATE TRIGGER refuse BEFORE INSERT ON points BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
            connection.exec_driver_sql(refuse)
        with pytest.raises(StoreError, match="disk is full"):
            history.add(points(1))
        assert len(history.read("small", Selection())) == 1


class TestPlaces:
    def test_none_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="found no history there; begin one"):
            History(str(tmp_path / "history.db"))
        assert not (tmp_path / "history.db").exists()

    def test_another_database(self, tmp_path: Path) -> None:
        (tmp_path / "other.db").touch()
        with pytest.raises(UsageError, match="found no history there"):
            History(f"sqlite:///{tmp_path / 'other.db'}")

    def test_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "history.db").write_text("This is a text, and no database of any kind. " * 20)
        with pytest.raises(StoreError, match=r"history\.db cannot be used: file is not a database"):
            History(str(tmp_path / "history.db"))

    def test_a_newer_format(self, tmp_path: Path) -> None:
        history = filled(tmp_path / "history.db", [20.0])
        with history.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO evalsuite_history VALUES (99)")
        for create in (False, True):
            with pytest.raises(RecordError, match=r"format version 99.*use a newer evalsuite"):
                History(str(tmp_path / "history.db"), create=create)

    @pytest.mark.parametrize("place", ["mysql://host/db", "postgresql//:", "http://host", "://"])
    def test_no_such_place(self, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(UsageError, match=r"expected the path of a SQLite file|found no history"):
            History(place)

    def test_a_password_is_never_shown(self) -> None:
        with pytest.raises(StoreError) as caught:
            History("postgresql://me:secret@localhost:1/none")
        assert "secret" not in str(caught.value)
        assert "me:***@localhost" in str(caught.value)
