"""Base of everything a suite file can configure, and the field types that people write by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, WithJsonSchema

_DECIMAL = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_BYTES = {**_DECIMAL, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"


class Settings(BaseModel):
    """Frozen settings that refuse unknown keys: models, targets, metrics, slices and datasets derive from it."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def parse_bytes(value: Any) -> Any:
    """``"600 MB"`` -> 600_000_000; ``"1.5 GiB"`` -> 1_610_612_736; whole numbers pass unchanged."""
    if not isinstance(value, str):
        return value
    number, unit = _split_unit(value)
    if number is None or number < 0 or unit not in {"", *_BYTES}:
        raise ValueError("expected a size such as 600 MB or 1.5 GiB")
    return round(number * _BYTES.get(unit, 1))


def parse_seconds(value: Any) -> Any:
    """``"50 ms"`` -> 0.05; numbers pass unchanged."""
    if not isinstance(value, str):
        return value
    number, unit = _split_unit(value)
    if number is None or unit not in _SECONDS:
        raise ValueError("expected a time such as 50 ms or 2 s")
    return number * _SECONDS[unit]


def parse_fraction(value: Any) -> Any:
    """``"5%"`` -> 0.05; numbers pass unchanged."""
    if not isinstance(value, str):
        return value
    number, unit = _split_unit(value)
    if number is None or unit != "%":
        raise ValueError("expected a share such as 5% or 0.05")
    return number / 100


def parse_quantity(value: Any) -> Any:
    """``"5%"`` -> 0.05; ``"600 MB"`` -> 600_000_000.0; ``"80 ms"`` -> 0.08; numbers pass unchanged."""
    if not isinstance(value, str):
        return value
    number, unit = _split_unit(value)
    scales = {"%": 0.01, **_BYTES, **_SECONDS}
    if number is None or unit not in scales:
        raise ValueError("expected a number, alone or with a unit such as 5%, 80 ms or 600 MB")
    return parse_fraction(value) if unit == "%" else number * scales[unit]


def unit_of(value: Any) -> str | None:
    """The unit that a written quantity is stored in: ``bytes``, ``s``, ``""`` for a share; None for a bare number."""
    unit = _split_unit(value)[1] if isinstance(value, str) else ""
    return "bytes" if unit in _BYTES else "s" if unit in _SECONDS else "" if unit == "%" else None


def _split_unit(text: str) -> tuple[float | None, str]:
    match = re.fullmatch(rf"\s*({_NUMBER})\s*(%|[A-Za-z]*)\s*", text)
    return (float(match[1]), match[2].lower()) if match else (None, "")


def resolve_path(value: Any, info: ValidationInfo) -> Any:
    """Take a relative path from the folder of the suite file, given as ``context={"base": folder}``."""
    if isinstance(value, (str, Path)):
        base = (info.context or {}).get("base")
        path = Path(value).expanduser()
        return path if base is None or path.is_absolute() else Path(base) / path
    return value


def _or_text(kind: str, unit: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": kind}, {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*{unit}\s*$"}]})


Bytes = Annotated[int, BeforeValidator(parse_bytes), _or_text("integer", "[A-Za-z]*")]
Fraction = Annotated[float, BeforeValidator(parse_fraction), _or_text("number", "%")]
Seconds = Annotated[float, BeforeValidator(parse_seconds), _or_text("number", "(us|ms|s|min)")]
Quantity = Annotated[float, BeforeValidator(parse_quantity), _or_text("number", "(%|[A-Za-z]+)")]
SuitePath = Annotated[Path, BeforeValidator(resolve_path)]
