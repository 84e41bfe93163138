"""The study of discovered slices, in small: every row has its numbers."""

from __future__ import annotations

import pytest

from tests.studies import discovered


def test_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    discovered.main(repetitions=2, samples=400, pool=1200)
    rows = [line for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert rows[0] == "| alike | 0% |  |"
    assert rows[-1] == "| blurred by 1.5 pixels | 100% | 100% |"
    assert len(rows) == len(discovered.SIGMAS)
