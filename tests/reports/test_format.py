"""Numbers with the digits their interval can bear, and texts without invisible characters."""

from __future__ import annotations

import math

import pytest

from evalsuite.records import EXACT, Family, Interval
from evalsuite.reports._format import bounds, decimals, flattened, metric_title, number, plain, probability, scale_for


def interval(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, level=0.95, method="t")


@pytest.mark.parametrize(
    ("low", "high", "digits"),
    [(8.8, 10.0, 1), (9.39, 9.41, 3), (9.0, 9.24, 2), (900.0, 1700.0, 0), (0.00096, 0.00156, 4), (5.0, 5.0, 3)],
)
def test_digits_follow_the_interval(low: float, high: float, digits: int) -> None:
    assert decimals((low + high) / 2, interval(low, high)) == digits


@pytest.mark.parametrize(("count", "divisor", "digits"), [(31.0, 1.0, 0), (1_784_000.0, 1e6, 3), (2e6, 1e6, 0)])
def test_counts_show_no_digits_that_they_lack(count: float, divisor: float, digits: int) -> None:
    exact = Interval(low=count, high=count, level=0.95, method=EXACT)
    assert decimals(count, exact, divisor) == digits
    assert bounds(exact, digits, divisor) == ""


def test_digits_follow_the_unit() -> None:
    assert decimals(0.0712, interval(0.0706, 0.0718), 1e-3) == 1


@pytest.mark.parametrize("value", [0.0, math.inf, -math.inf, math.nan])
def test_odd_values_have_digits_too(value: float) -> None:
    assert decimals(value, None) == 0
    assert number(value, 0) in ("0", "∞", "−∞", "not a number")


@pytest.mark.parametrize(
    ("value", "digits", "signed", "text"),
    [
        (-1.25, 2, False, "−1.25"), (1.25, 1, True, "+1.2"), (-0.001, 2, True, "0.00"),
        (12345.6, 1, False, "12\u202f345.6"),
        (9999.0, 0, False, "9999"), (2e-8, 6, False, "2.0e−08"),
    ],
)  # fmt: skip
def test_numbers(value: float, digits: int, signed: bool, text: str) -> None:
    assert number(value, digits, signed=signed) == text


@pytest.mark.parametrize(
    ("unit", "family", "value", "shown"),
    [
        ("s", Family.LATENCY, 0.071, "ms"), ("s", Family.LATENCY, 2.0, "s"), ("s", Family.LATENCY, 2e-5, "µs"),
        ("bytes", Family.MEMORY, 148e6, "MB"), ("bytes", Family.MEMORY, 12, "B"), ("", Family.PROPORTION, 0.9, "%"),
        ("parameters", Family.COUNT, 1.784e6, "million"), ("FLOPs", Family.COUNT, 5.1e9, "GFLOPs"),
        ("", Family.MMD, 0.001, "×10⁻³"), ("dB", Family.MEAN, 20.0, "dB"), ("", Family.FRECHET, 9.4, ""),
    ],
)  # fmt: skip
def test_units(unit: str, family: Family, value: float, shown: str) -> None:
    assert scale_for(unit, family, [value, value / 3]).unit == shown


def test_bounds_are_written_in_the_unit_of_the_row() -> None:
    assert bounds(interval(0.0706, 0.0718), 1, 1e-3) == "[70.6, 71.8]"
    assert bounds(None, 1) == ""


def test_probabilities() -> None:
    assert [probability(p) for p in (None, 0.0001, 0.0134)] == ["", "< 0.001", "0.013"]


def test_titles() -> None:
    assert metric_title("fid_debiased", "fid_debiased") == "FID debiased"
    assert metric_title("latency_p50", "latency") == "Latency p50"
    assert metric_title("num_parameters", "num_parameters") == "Number of parameters"
    assert metric_title("flops", "flops") == "FLOPs"
    assert metric_title("my-own label", "fid") == "my-own label"
    assert metric_title("psnr-teacher", "psnr") == "psnr-teacher"


def test_invisible_characters_are_spelled_out() -> None:
    assert plain("a\u202eb\u2028c\x00") == "a<U+202E>b<U+2028>c<U+0000>"
    assert plain("Größe, 大小, שלום") == "Größe, 大小, שלום"


def test_nested_facts_are_flattened() -> None:
    assert flattened({"a": {"b": 1, "c": [1, 2]}, "d": None}) == [("a.b", "1"), ("a.c", "1, 2"), ("d", "none")]
