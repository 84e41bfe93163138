"""Sizes, shares, times and paths as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evalsuite.settings import Bytes, Fraction, Quantity, Seconds, Settings, SuitePath, unit_of


class Example(Settings):
    size: Bytes = 0
    share: Fraction = 0.0
    quantity: Quantity = 0.0
    time: Seconds = 0.0
    path: SuitePath = Path()


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("600 MB", 600_000_000),
        ("1.5GiB", 1_610_612_736),
        ("12", 12),
        ("4 kb", 4000),
        ("0.5 KiB", 512),
        (7, 7),
        (" 1 B ", 1),
    ],
)
def test_sizes(written: object, size: int) -> None:
    assert Example.model_validate({"size": written}).size == size


@pytest.mark.parametrize(
    ("written", "time"), [("50 ms", 0.05), ("2s", 2.0), ("1.5 min", 90.0), ("5 us", 5e-6), (3, 3.0)]
)
def test_times(written: object, time: float) -> None:
    assert Example.model_validate({"time": written}).time == pytest.approx(time)


@pytest.mark.parametrize("written", ["50", "50 MB", "5%", "ms", ""])
def test_no_times(written: object) -> None:
    with pytest.raises(ValidationError, match="a time such as 50 ms"):
        Example.model_validate({"time": written})


@pytest.mark.parametrize("written", ["600 MX", "MB", "-5 MB", "5%", "1 2 MB", "", "1e3 MB", "5 ms", 1.5])
def test_no_sizes(written: object) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate({"size": written})


@pytest.mark.parametrize(
    ("written", "share"), [("5%", 0.05), ("100 %", 1.0), (0.25, 0.25), ("-2.5%", -0.025), (1, 1.0)]
)
def test_shares(written: object, share: float) -> None:
    assert Example.model_validate({"share": written}).share == pytest.approx(share, abs=1e-15)


@pytest.mark.parametrize("written", ["5", "%", "5 MB", "5%%", "five%", [5]])
def test_no_shares(written: object) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate({"share": written})


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("80 ms", 0.08, "s"),
        ("1.5 s", 1.5, "s"),
        ("250us", 0.00025, "s"),
        ("2 min", 120.0, "s"),
        ("600 MB", 6e8, "bytes"),
        ("5%", 0.05, ""),
        (12, 12.0, None),
        (0.5, 0.5, None),
    ],
)
def test_quantities_and_their_units(written: object, value: float, unit: str | None) -> None:
    assert Example.model_validate({"quantity": written}).quantity == pytest.approx(value)
    assert unit_of(written) == unit


@pytest.mark.parametrize("written", ["80 parsecs", "ms", "80", "1,5 s", "nan"])
def test_no_quantities(written: str) -> None:
    with pytest.raises(ValidationError):
        Example.model_validate({"quantity": written})


@given(st.integers(min_value=0, max_value=10**6))
def test_whole_percents_are_exact(percent: int) -> None:
    assert Example.model_validate({"share": f"{percent}%"}).share == percent / 100


def test_a_relative_path_is_taken_from_the_base_and_an_absolute_one_stays() -> None:
    base = {"base": Path("/suites")}
    assert Example.model_validate({"path": "images"}, context=base).path == Path("/suites/images")
    assert Example.model_validate({"path": "/images"}, context=base).path == Path("/images")
    assert Example.model_validate({"path": "images"}).path == Path("images")


def test_settings_are_frozen_and_refuse_unknown_keys() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Example.model_validate({"sice": 4})
    with pytest.raises(ValidationError, match="frozen"):
        Example().size = 4  # type: ignore[misc]


@pytest.mark.parametrize(("field", "kind"), [("size", "integer"), ("share", "number"), ("quantity", "number")])
def test_editors_learn_that_text_is_allowed(field: str, kind: str) -> None:
    forms = Example.model_json_schema()["properties"][field]["anyOf"]
    assert [form["type"] for form in forms] == [kind, "string"]
