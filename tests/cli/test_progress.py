"""What the progress display writes where there is no terminal."""

from __future__ import annotations

import pytest

from evalsuite.cli.progress import ProgressDisplay
from evalsuite.pipeline.events import Event


def test_without_a_terminal_it_writes_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay() as listener:
        listener(Event("stage", "generate", total=2))
        for done in range(1, 65):
            listener(Event("progress", "generate", "teacher@cpu/all", done, 64))
        listener(Event("cached", "generate", "student@cpu/all"))
        listener(Event("stage", "measure", total=1))
        listener(Event("missing", "measure", "student@cpu/all", message="[it] crashed"))
        listener(Event("missing", "measure", "other@cpu/all", message="[it] crashed"))
        listener(Event("warning", "measure", message="slow disk"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["generate", "measure", "student@cpu/all: [it] crashed", "slow disk"]


def test_a_stage_advances_once_for_each_cell_that_ends() -> None:
    display = ProgressDisplay()
    display(Event("stage", "generate", total=3))
    display(Event("progress", "generate", "a", 1, 2))
    assert display.finished == 0
    display(Event("progress", "generate", "a", 2, 2))
    display(Event("progress", "generate", "a", 2, 2))
    display(Event("cached", "generate", "b"))
    display(Event("missing", "generate", "c", message="no"))
    assert display.finished == 3
