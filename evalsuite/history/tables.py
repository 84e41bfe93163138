"""The tables of the history: series, runs, and one point for each value of a run.

Points lie in the order in which they are read, series after series and in each by time, so that the newest of a series
are found without a look at the others.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

FORMAT_VERSION = 1
"""Of the tables; a store of a newer one is refused."""

HASH_LENGTH = 64

metadata = MetaData()

format_versions = Table("evalsuite_history", metadata, Column("format_version", Integer, primary_key=True))

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(HASH_LENGTH), nullable=False, unique=True),
    Column("suite", Text, nullable=False),
    Column("commit_sha", Text, nullable=False),
    Column("at", DateTime, nullable=False, doc="UTC; what orders the history"),
    Column("started", DateTime, nullable=False, doc="UTC"),
    Index("runs_of_suite", "suite", "at"),
)

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(HASH_LENGTH), nullable=False, unique=True),
    Column("suite", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("against", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("slice", Text, nullable=False),
    Column("protocol", Text, nullable=False, doc="canonical JSON"),
    Column("unit", Text, nullable=False),
    Column("higher_is_better", Boolean),
    Index("series_of_suite", "suite", "name", "model", "target", "slice"),
)

points = Table(
    "points",
    metadata,
    Column("series_id", ForeignKey(series.c.id), primary_key=True),
    Column("at", DateTime, primary_key=True),
    Column("run_id", ForeignKey(runs.c.id), primary_key=True),
    Column("value", Float(53), nullable=False),
    Column("low", Float(53)),
    Column("high", Float(53)),
    Column("level", Float(53)),
    Column("n", Integer, nullable=False),
    Column("deviations", LargeBinary, doc="float32, little-endian"),
    sqlite_with_rowid=False,
)
