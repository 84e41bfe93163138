"""The study of drift, in small: every row has its numbers."""

from __future__ import annotations

import re

import pytest

from tests.studies import drift


def test_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    drift.main(repetitions=3)
    rows = [line for line in capsys.readouterr().out.splitlines() if re.search(r"\d %|\d%", line)]
    assert len(rows) == 4 + 3 + 2 + 3 + 1  # with the heading of the second table
    assert "| step of 15 %: found; named range holds it | 100.0%; " in "\n".join(rows)
