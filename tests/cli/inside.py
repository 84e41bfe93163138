"""The command line inside the test's own process: for the many cases that differ in their arguments only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evalsuite.cli.main import main
from tests.conftest import Command


def command_inside(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """As ``evalsuite ARGUMENTS`` called in a folder; saves the second that a new process needs to import libraries."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: str | Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["evalsuite", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, code if isinstance(code, int) else 0, out, err)

    return call
