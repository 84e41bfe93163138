"""Sizes and durations, on values that are known."""

from __future__ import annotations

import pytest

from evalsuite.cli.wording import duration, size


@pytest.mark.parametrize(("seconds", "text"), [(4.2, "4 s"), (99, "1 min 39 s"), (3700, "1 h 1 min")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (31.4e6, "31.4 MB"), (2.5e12, "2.5 TB")])
def test_size(count: float, text: str) -> None:
    assert size(count) == text
