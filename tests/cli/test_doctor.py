"""``evalsuite doctor`` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Command

SECTIONS = [
    "machine", "targets", "energy counters", "extractors", "datasets", "weights", "packages", "cache",
]  # fmt: skip


def test_a_table_says_what_is_there_and_why_not(evalsuite: Command) -> None:
    done = evalsuite("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert [line for line in lines if line in SECTIONS] == SECTIONS
    assert any(line.startswith("✓  cpu ") for line in lines)
    assert any(line.startswith("✓  fashion-cnn ") for line in lines)
    assert "evalsuite weights fetch" in done.stdout
    assert lines[-1] == "✓ good  ~ limited  – missing  ✗ broken"


def test_json_has_the_same(evalsuite: Command) -> None:
    document = json.loads(evalsuite("doctor", "--json").stdout)
    assert list(document) == SECTIONS
    cpu = next(check for check in document["targets"] if check["name"] == "cpu")
    assert set(cpu) == {"name", "state", "finding", "advice"}
    assert cpu["state"] in ("good", "limited")


def test_it_ends_with_4_where_nothing_can_be_measured(evalsuite: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = evalsuite("doctor", "--cache", "file")
    assert done.returncode == 4
    assert "✗  cache" in done.stdout
    assert "Traceback" not in done.stderr
