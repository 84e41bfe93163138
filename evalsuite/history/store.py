"""Where the history is kept: a SQLite file, or a PostgreSQL database that many machines share."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Row,
    Table,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from evalsuite.errors import RecordError, StoreError, UnknownNameError, UsageError
from evalsuite.files import content_key
from evalsuite.history import tables
from evalsuite.history.points import Point, RunPoints, SeriesKey, Value
from evalsuite.records import Interval

EXPECTED = "the path of a SQLite file, or postgresql://USER@HOST/DATABASE"
METHOD = "as recorded"

WRITING = "evalsuite_writing"
LOCK = 0x65766C73
"""Name of the lock that who makes the tables holds: any number that nobody else uses."""

BUSY_TIMEOUT_S = 60
"""How long a writer waits for another to finish."""


@dataclass(frozen=True)
class Series:
    """Values over commits, oldest first; of a commit that was measured again, the newest."""

    key: SeriesKey
    unit: str
    higher_is_better: bool | None
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Selection:
    """Which series are meant: a glob for each part of their names."""

    metric: str = "*"
    model: str = "*"
    target: str = "*"
    slice: str = "*"

    def takes(self, row: Row[Any]) -> bool:
        wanted = ((row.name, self.metric), (row.model, self.model), (row.target, self.target), (row.slice, self.slice))
        return all(fnmatch.fnmatchcase(name, glob) for name, glob in wanted)


class History:
    """An open store.

    Args:
        place: the path of a SQLite file, or a URL.
        create: make what is not there: the file, its folder, the tables.

    Raises:
        UsageError: the place makes no sense, or holds no history.
        RecordError: its tables are of a newer evalsuite.
        StoreError: it cannot be opened.
    """

    def __init__(self, place: str, create: bool = False) -> None:
        url = _url(place)
        self.name = url.set(drivername=url.get_backend_name()).render_as_string()  # without the password
        if url.get_backend_name() == "sqlite":
            _check_file(Path(str(url.database)), create)
        self.engine = _engine(url)
        if create:
            with self._writing() as connection:
                _make_tables(connection)
        with self._reading() as connection:
            self._check_version(connection)

    def add(self, run: RunPoints) -> bool:
        """Add a run, all of it or nothing; whether it was new.

        Raises:
            UsageError: it is there already, under another commit.
            StoreError: the store cannot be written.
        """
        with self._writing() as connection:
            added = _insert_new(connection, tables.runs, [_run_row(run)])
            known = connection.execute(select(tables.runs).where(tables.runs.c.key == run.key)).one()
            if known.commit_sha != run.commit.sha:
                raise UsageError(
                    f"the run is in the history already, under commit {known.commit_sha}, and stays there; "
                    f"found --commit {run.commit.sha}"
                )
            if added and run.values:
                ids = self._series_ids(connection, run.values)
                rows = [
                    _point_row(ids[content_key(key)], known.id, known.at, value) for key, value in run.values.items()
                ]
                connection.execute(insert(tables.points), rows)
        return added

    def suites(self) -> list[str]:
        """Names of the suites that have runs here."""
        with self._reading() as connection:
            return list(connection.scalars(select(tables.runs.c.suite).distinct().order_by(tables.runs.c.suite)))

    def read(self, suite: str, selection: Selection, last: int | None = None) -> list[Series]:
        """The series of a suite that are meant, in the order of their names.

        Args:
            suite: its name.
            selection: which.
            last: only points of the newest commits, so many; None for all.

        Raises:
            UnknownNameError: a part of the selection fits nothing; offers the nearest name.
            StoreError: the store cannot be read.
        """
        with self._reading() as connection:
            columns = tables.series.c
            known = connection.execute(select(tables.series).where(columns.suite == suite)).all()
            meant = {row.id: row for row in known if selection.takes(row)}
            if not meant:
                raise _nothing_fits(known, selection)
            since = _since(connection, suite, last)
            found: dict[int, dict[str, Point]] = {key: {} for key in meant}
            for row in connection.execute(_points_query(list(meant), since)):
                # In the order of time, so that a commit's newest value replaces the older ones.
                found[row.series_id][row.commit_sha] = _point(row)
        every = [
            Series(_key(meant[key]), meant[key].unit, meant[key].higher_is_better, tuple(of_series.values()))
            for key, of_series in found.items()
            if of_series
        ]
        return sorted(every, key=lambda one: (*one.key[:-1], one.points[0].at))

    # --- parts of a transaction -------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """All that is read inside is of one moment.

        Raises:
            StoreError: the database refuses; says why.
        """
        with self._told(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """All of what is done inside, or nothing.

        Raises:
            StoreError: the database refuses; says why.
        """
        with self._told(), self.engine.execution_options(**{WRITING: True}).begin() as connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise StoreError(f"the history {self.name} cannot be used: {reason}") from error

    def _check_version(self, connection: Connection) -> None:
        if not inspect(connection).has_table(tables.format_versions.name):
            raise UsageError(f"{self.name}: found no history there; begin one with: evalsuite history add RUN")
        newest = max(connection.scalars(select(tables.format_versions.c.format_version)))
        if newest > tables.FORMAT_VERSION:
            raise RecordError(
                f"the history {self.name} has format version {newest}, and this evalsuite reads "
                f"{tables.FORMAT_VERSION}; use a newer evalsuite"
            )

    def _series_ids(self, connection: Connection, wanted: Mapping[SeriesKey, Value]) -> dict[str, int]:
        """Ids of series by their hash; those that are new are made."""
        by_hash = {content_key(key): (key, value) for key, value in wanted.items()}
        found = self._known_ids(connection, by_hash)
        # In one order, so that two writers of the same series never wait for each other.
        new = [_series_row(hash_, *by_hash[hash_]) for hash_ in sorted(set(by_hash) - set(found))]
        if not new:
            return found
        _insert_new(connection, tables.series, new)
        return self._known_ids(connection, by_hash)

    def _known_ids(self, connection: Connection, hashes: Mapping[str, Any]) -> dict[str, int]:
        columns = tables.series.c
        rows = connection.execute(select(columns.key, columns.id).where(columns.key.in_(list(hashes))))
        return {row.key: row.id for row in rows}


# --- the database ---------------------------------------------------------------------------------------------------


def _url(place: str) -> URL:
    """Where the store is; a path stands for a SQLite file.

    Raises:
        UsageError: it is neither.
    """
    if "://" not in place:
        return URL.create("sqlite", database=place)
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise UsageError(f"--store: found no URL that can be read, expected {EXPECTED}") from error
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise UsageError(f"--store: found a store of kind {backend!r}, expected {EXPECTED}")
    return url.set(drivername="postgresql+psycopg") if backend == "postgresql" else url.set(drivername="sqlite")


def _check_file(path: Path, create: bool) -> None:
    """Before SQLite makes an empty file of whatever it is given.

    Raises:
        UsageError: it is not there.
        StoreError: its folder cannot be made.
    """
    if not create and not path.is_file():
        raise UsageError(f"{path}: found no history there; begin one with: evalsuite history add RUN --store {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder of {path}: {error.strerror or error}") from error


def _engine(url: URL) -> Engine:
    """What opens a connection for each transaction, and closes it; nothing is opened yet.

    Raises:
        UsageError: the driver is not installed.
    """
    if url.get_backend_name() == "postgresql":
        try:
            return create_engine(url, poolclass=NullPool)
        except ModuleNotFoundError as error:
            raise UsageError("PostgreSQL needs its driver: pip install 'evalsuite[postgresql]'") from error
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _leave_transactions_alone)
    event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_alone(connection: Any, _: Any) -> None:
    """Python's driver would begin them by itself, and too late."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    """Who will write takes the right to at once: two that read first and then want to write can only fail."""
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _make_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Two that make the same table at once would fail; SQLite has one writer anyway.
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    tables.metadata.create_all(connection)
    if connection.scalar(select(func.count()).select_from(tables.format_versions)) == 0:
        _insert_new(connection, tables.format_versions, [{"format_version": tables.FORMAT_VERSION}])


def _insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Insert rows that are not there; whether there was any. Another writer's rows are waited for, not lost."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing()
    kept = {"preserve_rowcount": True}  # SQLAlchemy asks for the new ids, and would forget how many there were
    return sum(connection.execute(statement, row, execution_options=kept).rowcount for row in rows) > 0


# --- rows -----------------------------------------------------------------------------------------------------------


def _run_row(run: RunPoints) -> dict[str, Any]:
    return {
        "key": run.key,
        "suite": run.suite,
        "commit_sha": run.commit.sha,
        "at": _naive(run.at),
        "started": _naive(run.started),
    }


def _series_row(hash_: str, key: SeriesKey, value: Value) -> dict[str, Any]:
    own = {"unit": value.unit, "higher_is_better": value.higher_is_better}
    return {"key": hash_, **key._asdict(), **own}


def _point_row(series_id: int, run_id: int, at: datetime, value: Value) -> dict[str, Any]:
    interval = value.interval
    return {
        "series_id": series_id,
        "at": at,
        "run_id": run_id,
        "value": value.value,
        "low": interval and interval.low,
        "high": interval and interval.high,
        "level": interval and interval.level,
        "n": value.n,
        "deviations": None if value.deviations is None else value.deviations.astype("<f4").tobytes(),
    }


def _points_query(series_ids: list[int], since: datetime | None) -> Any:
    points, runs = tables.points, tables.runs
    query = select(points, runs.c.commit_sha).join(runs, runs.c.id == points.c.run_id)
    query = query.where(points.c.series_id.in_(series_ids))
    if since is not None:
        query = query.where(points.c.at >= since)
    return query.order_by(points.c.series_id, points.c.at, runs.c.started)


def _since(connection: Connection, suite: str, last: int | None) -> datetime | None:
    """The time of the oldest of a suite's newest commits, so many; None for all."""
    if last is None:
        return None
    columns = tables.runs.c
    newest = select(columns.at).where(columns.suite == suite).group_by(columns.at).order_by(columns.at.desc())
    times = connection.scalars(newest.limit(last)).all()
    return times[-1] if times else None


def _point(row: Row[Any]) -> Point:
    interval = None
    if row.low is not None:
        interval = Interval(low=row.low, high=row.high, level=row.level, method=METHOD)
    deviations = None if row.deviations is None else np.frombuffer(row.deviations, "<f4").astype(np.float32)
    return Point(row.commit_sha, row.at.replace(tzinfo=UTC), row.value, interval, row.n, deviations)


def _key(row: Row[Any]) -> SeriesKey:
    return SeriesKey(row.suite, row.name, row.against, row.model, row.target, row.slice, row.protocol)


def _naive(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)


def _nothing_fits(known: Sequence[Row[Any]], selection: Selection) -> UsageError:
    """Which part of a selection is to blame, with the nearest name of what there is."""
    for kind in ("metric", "model", "target", "slice"):
        glob = str(getattr(selection, kind))
        there = {str(getattr(row, "name" if kind == "metric" else kind)) for row in known}
        if not fnmatch.filter(sorted(there), glob):
            return UnknownNameError(kind, glob, there)
    return UsageError("found no series that is all of what was asked for at once; leave out one of the options")
