"""What models may download is downloaded once the suite is known to be right, and never else."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.errors import Unavailable, UsageError
from evalsuite.models.contract import Download
from evalsuite.pipeline import runner
from evalsuite.pipeline.events import Event
from evalsuite.pipeline.runner import RunOptions, execute
from tests.pipeline.user_models import model, suite_of


class Lacking:
    """What a run asks of an adapter that lacks its weights."""

    def __init__(self, reachable: bool = True) -> None:
        self.reachable, self.fetched = reachable, 0

    def downloads(self) -> tuple[Download, ...]:
        return () if self.fetched else (Download("owner/model@0123", 1000),)

    def fetch(self) -> None:
        if not self.reachable:
            raise Unavailable("the hub does not answer")
        self.fetched += 1


def executed(folder: Path, lacking: Lacking, monkeypatch: pytest.MonkeyPatch, only: str = "m") -> list[Event]:
    monkeypatch.setattr(runner, "downloadable", lambda suite, only: [lacking])
    suite = suite_of(
        {"m": model(folder, "good", "teacher")}, num_samples=16, metrics=[{"name": "a", "metric": "vendi"}]
    )
    events: list[Event] = []
    options = RunOptions(out=folder / "run", cache=folder / "cache", allow_code=True, only={"model": [only]})
    execute(suite, options, events.append)
    return events


def test_it_is_told_and_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = Lacking()
    events = executed(tmp_path, lacking, monkeypatch)
    assert [event.key for event in events if event.stage == "download"] == ["owner/model@0123"]
    assert lacking.fetched == 1
    assert not [event for event in executed(tmp_path / "run", lacking, monkeypatch) if event.stage == "download"]


def test_nothing_is_fetched_for_a_suite_that_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = Lacking()
    with pytest.raises(UsageError, match="nothing is left to run"):
        executed(tmp_path, lacking, monkeypatch, only="nobody")
    assert lacking.fetched == 0


def test_what_cannot_be_had_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert executed(tmp_path, Lacking(reachable=False), monkeypatch)
    assert (tmp_path / "run" / "record.json").is_file()
