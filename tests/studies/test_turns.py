"""The study of a model in turns with itself, in small: it keeps its repetitions, and goes on from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from evalsuite import plugins
from evalsuite.executors.contract import Worker
from evalsuite.executors.local import Local
from evalsuite.profiling.turns import PROCESSES
from tests.profiling.scripted import installed
from tests.studies import turns


class Counted(Local):
    """Says what it opens; a process that is timed keeps to some cores, so it is not to be the tests' own."""

    opened: list[str] = Field(default_factory=list)

    @contextmanager
    def open(self, factory: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[Worker]:
        self.opened.append(factory.__name__)
        with super().open(factory, arguments) as worker:
            yield worker


@pytest.fixture
def _delayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROCESSES, "ci", 2)  # type: ignore[arg-type]
    monkeypatch.syspath_prepend(str(installed(tmp_path, "turns", turns.ENTRY_POINTS)))
    plugins.names.cache_clear()
    plugins.find.cache_clear()


def study(work_dir: Path, scenario: turns.ScenarioName = "single_stream", **settings: Any) -> turns.Study:
    return turns.Study("fashion-1step", "ci", scenario, work_dir, **settings)


@pytest.mark.usefixtures("_delayed")
def test_batches_take_turns_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns.report(study(tmp_path, "offline"), {1.0: 1})
    assert "| a delay of 100% is found | 1 | 100.0% |" in capsys.readouterr().out


@pytest.mark.usefixtures("_delayed")
def test_a_model_takes_turns_with_itself_and_a_slower_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> list[str]:
        turns.report(study(tmp_path, lock=tmp_path / "lock"), {0.0: 1, 1.0: 1})
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]

    first = rows()
    assert first[-1].split("|")[1:4] == [" a delay of 100% is found ", " 1 ", " 100.0% "]
    files = sorted(tmp_path.glob("*.jsonl"))
    assert [len(file.read_text().splitlines()) for file in files] == [1, 1]
    assert rows() == first
    executor = Counted()
    turns.report(study(tmp_path / "sharing", executor=executor, sharing=3), {0.0: 3})
    assert len(executor.opened) == 2 * 2
    files[0].unlink()
    assert rows()[-1] == first[-1]
