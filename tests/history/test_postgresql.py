"""The history in a real PostgreSQL server, of the test's own, that talks through a socket file."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalsuite.errors import StoreError, UsageError
from evalsuite.history.points import points_of
from evalsuite.history.store import History, Selection
from tests.history.runs import commit, points, psnr, run_of
from tests.history.test_store import WRITER, program

OWNER = "postgres"
"""PostgreSQL refuses to run as root; its package brings this user."""


def binary(name: str) -> str | None:
    """A program of the server, which Debian does not put on the path."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or next(map(str, newest), None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of an empty database; the server ends with the tests."""
    initdb, postgres = binary("initdb"), binary("postgres")
    if initdb is None or postgres is None:
        pytest.skip("needs a PostgreSQL server: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="evalsuite-", dir="/tmp"))  # a socket's path must be short
    user = OWNER if os.geteuid() == 0 else getpass.getuser()
    if os.geteuid() == 0:
        shutil.chown(folder, OWNER, OWNER)
    switch = {"user": OWNER} if os.geteuid() == 0 else {}
    make = [initdb, "-D", folder / "data", "-U", user, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run(make, check=True, capture_output=True, cwd=folder, **switch)
    run = [postgres, "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(run, stdout=log, stderr=log, cwd=folder, **switch)
    try:
        url = f"postgresql://{user}@/postgres?host={folder}"
        for _ in range(300):
            try:
                History(url, create=True)
                break
            except StoreError:  # it is still starting
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder)


@pytest.fixture
def place(server: str) -> str:
    """The server with nothing in it."""
    history = History(server, create=True)
    with history.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE points, series, runs, evalsuite_history")
    return server


def test_what_goes_in_comes_out_once(place: str) -> None:
    with pytest.raises(UsageError, match="found no history there"):
        History(place)
    history = History(place, create=True)
    run = points(3)
    assert [history.add(run), history.add(run)] == [True, False]
    for series in history.read("small", Selection()):
        (point,) = series.points
        assert (point.commit, point.at, point.value) == (*commit(3), run.values[series.key].value)
        assert (point.deviations is None) == (run.values[series.key].deviations is None)


def test_two_writers_lose_nothing(place: str) -> None:
    """Both make the tables and the series, and some of their runs are the same."""
    writers = [program(WRITER, place, *numbers) for numbers in ((0, 10), (6, 16))]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    found = History(place).read("small", Selection(metric="psnr"), last=12)
    assert [int(point.commit[:4], 16) for point in found[0].points] == list(range(4, 16))


def test_all_or_nothing(place: str) -> None:
    history = History(place, create=True)
    with history.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE points ADD CHECK (value < 100)")
    with pytest.raises(StoreError, match="violates check constraint"):
        history.add(points_of(run_of(psnr(20.0), psnr(200.0, name="far"))))
    assert history.suites() == []
