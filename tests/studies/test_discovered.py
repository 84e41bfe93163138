"""The study of discovered slices, in small: every row has its numbers."""

from __future__ import annotations

import pytest

from tests.studies import discovered


def test_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    discovered.main(repetitions=2, samples=800, pool=1800)
    rows = [line for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert rows[0] == "| alike | 0% |  |"
    assert rows[-1].startswith("| blurred by 1.5 pixels | ")
    assert "| 0%" not in rows[-1]
    assert len(rows) == len(discovered.SIGMAS)
