"""Command ``leaderboard``: from run folders to a site."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.files import write_atomically
from tests.cli.inside import command_inside
from tests.conftest import Command
from tests.reports.many_runs import results


@pytest.fixture
def evalsuite(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    for result in results(2, ["narrow"]):
        result.record.save(tmp_path / "runs" / result.name)
    write_atomically(tmp_path / "runs" / "small-001" / "report" / "index.html", b"<!doctype html>")
    return command_inside(tmp_path, capsys, monkeypatch)


def test_writes_a_site_with_links_to_reports(evalsuite: Command, tmp_path: Path) -> None:
    done = evalsuite("leaderboard", "runs/small-000", "runs/small-001", "-o", "site")
    assert (done.returncode, done.stdout) == (0, "board 1: 2 entries, best teacher\nsite/index.html\n")
    assert '<a href="../runs/small-001/report/index.html">' in (tmp_path / "site" / "board-1.html").read_text("utf-8")


def test_ranks_by_another_metric(evalsuite: Command) -> None:
    done = evalsuite("leaderboard", "latest", "-o", "site", "--metric", "latency_p50")
    assert "best narrow" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("runs/none",), "runs/none: found no record.json there"),
        (("latest", "--metric", "fidd"), "found no run with a metric 'fidd'"),
    ],
)
def test_says_what_it_lacks(evalsuite: Command, arguments: tuple[str, ...], message: str) -> None:
    done = evalsuite("leaderboard", *arguments, "-o", "site")
    assert done.returncode == 2
    assert message in done.stderr
