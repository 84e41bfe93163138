"""Command ``export``: from a run folder to a tracker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.inside import command_inside
from tests.reports import synthetic


def test_writes_a_folder_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runs" / "run-1"
    synthetic.quickstart(folder).record.save(folder)
    evalsuite = command_inside(tmp_path, capsys, monkeypatch)
    done = evalsuite("export", "latest", "--to", "tensorboard", "--place", "logs")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "logs/quickstart/run-1/teacher-cpu"
    assert evalsuite("export", "latest", "--to", "spreadsheet").returncode == 2
