"""The study of a model in turns with itself, in small: it keeps its repetitions, and goes on from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite import plugins
from tests.profiling.inline import Inline
from tests.profiling.scripted import installed
from tests.studies import turns


@pytest.fixture
def _delayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(installed(tmp_path, "turns", turns.ENTRY_POINTS)))
    plugins.names.cache_clear()
    plugins.find.cache_clear()


@pytest.mark.usefixtures("_delayed")
def test_a_model_takes_turns_with_itself_and_a_slower_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> list[str]:
        turns.report(tmp_path, "fashion-1step", 1, 1, 9.0, "ci", tmp_path / "lock", Inline())
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]

    first = rows()
    assert first[-1].split("|")[1:4] == [" a delay of 900% is found ", " 1 ", " 100.0% "]
    files = sorted(tmp_path.glob("*.jsonl"))
    assert [len(file.read_text().splitlines()) for file in files] == [1, 1]
    assert rows() == first
    executor = Inline()
    turns.report(tmp_path / "sharing", "fashion-1step", 3, 0, 0.0, "ci", None, executor, sharing=3)
    assert executor.opened == 2
    files[0].unlink()
    assert rows()[-1] == first[-1]
