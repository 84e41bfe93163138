"""Scenario ``cold_start``: loading and the first call, apart and together."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.scenarios.cold_start import ColdStart
from tests.scenarios.subjects import Sleeper, batches


@dataclass
class Loaded(Sleeper):
    load_s: float = 1.5


def test_parts_add_up() -> None:
    series = ColdStart().measure(Loaded((0.01,)), batches(1), 0)  # type: ignore[arg-type]
    (whole,), (load,), (first_call,) = (series[name] for name in ("", "load", "first_call"))
    assert (load, whole) == (1.5, 1.5 + first_call)
    assert first_call >= 0.01


def test_two_processes_do_not_show_how_much_they_differ() -> None:
    assert ColdStart().flaw([{"": [1.0]}] * 2) == "2 processes, and a valid measurement needs 3"
    assert ColdStart().flaw([{"": [1.0]}] * 3) == ""
