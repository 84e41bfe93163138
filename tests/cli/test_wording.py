"""Numbers with units, on values that are known."""

from __future__ import annotations

import pytest

from evalsuite.cli.wording import compared, duration, measured, number, size
from evalsuite.records import Comparison, Family, Interval, Measurement, Missing

CELL = {
    "name": "m",
    "metric": "m",
    "case_key": "a@cpu/all",
    "model": "a",
    "role": "student",
    "target": "cpu",
    "slice": "all",
}


def interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, level=0.95, method="known")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.123456, "0.1235"), (12.34567, "12.35"), (999.96, "1000"), (123456.7, "123457")]
)
def test_number_has_four_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms [10, 15]"),
        (17.5, "", "17.5 [0.01, 0.015]"),
        (2e8, "bytes", "200 MB [1e-08, 1.5e-08]"),
    ],
)
def test_measured_scales_value_and_interval_alike(value: float, unit: str, text: str) -> None:
    cell = Measurement.model_validate(
        {**CELL, "value": value, "unit": unit, "family": Family.MEAN, "n": 3, "interval": interval(0.01, 0.015)}
    )
    assert measured(cell) == text


def test_measured_says_what_kind_of_absence() -> None:
    assert measured(Missing.model_validate({**CELL, "kind": "skipped", "reason": "why"})) == "skipped"
    assert measured(None) == ""


def test_compared_shows_sign_ratio_or_reason() -> None:
    difference = Comparison(name="fid", terms=[], value=1.5, interval=interval(1, 2))
    ratio = Comparison(name="latency", terms=[], scale="ratio", unit="s", value=0.25, interval=interval(0.2, 0.3))
    unlike = Comparison(name="fid", terms=[], incomparable="n differs: 1000 and 2000")
    assert compared(difference) == "+1.5 [1, 2]"
    assert compared(ratio) == "x0.25 [0.2, 0.3]"
    assert compared(unlike) == "incomparable: n differs: 1000 and 2000"


@pytest.mark.parametrize(("seconds", "text"), [(4.2, "4 s"), (99, "1 min 39 s"), (3700, "1 h 1 min")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (31.4e6, "31.4 MB"), (2.5e12, "2.5e+03 GB")])
def test_size(count: float, text: str) -> None:
    assert size(count) == text
