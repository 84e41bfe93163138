"""Five hundred records of five hundred models, all on one board: the most pairs that so many runs can make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evalsuite.compare.leaderboard import Result, leaderboards
from evalsuite.records import RunRecord
from evalsuite.reports._leaderboard import site
from tests.reports.many_runs import results

RECORDS = 500
LIMIT_S = 30


def build(folders: list[Path]) -> dict[str, bytes]:
    return site(leaderboards([Result(folder.name, RunRecord.load(folder)) for folder in folders]))


def test_a_site_of_500_records_is_quick(benchmark: Any, tmp_path: Path) -> None:
    made = results(RECORDS if benchmark.enabled else 3, [f"student-{i}" for i in range(RECORDS)])
    for result in made:
        result.record.save(tmp_path / result.name)
    pages = benchmark.pedantic(build, args=([tmp_path / result.name for result in made],), rounds=1)
    assert list(pages) == ["index.html", "board-1.html"]
    if benchmark.enabled:
        assert benchmark.stats.stats.max < LIMIT_S
