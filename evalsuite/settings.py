"""Base of everything a suite file can configure, and the field types that people write by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


class Settings(BaseModel):
    """Frozen settings that refuse unknown keys: models, targets, metrics, slices and datasets derive from it."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def parse_bytes(value: Any) -> Any:
    """``"600 MB"`` -> 600_000_000; ``"1.5 GiB"`` -> 1_610_612_736; whole numbers pass unchanged."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", value)
    if match is None or match[2].lower() not in _UNITS:
        raise ValueError("expected a size such as 600 MB or 1.5 GiB")
    return round(float(match[1]) * _UNITS[match[2].lower()])


def parse_fraction(value: Any) -> Any:
    """``"5%"`` -> 0.05; numbers pass unchanged."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(-?[0-9]+(?:\.[0-9]+)?)\s*%\s*", value)
    if match is None:
        raise ValueError("expected a share such as 5% or 0.05")
    return float(match[1]) / 100


def resolve_path(value: Any, info: ValidationInfo) -> Any:
    """Take a relative path from the folder of the suite file, given as ``context={"base": folder}``."""
    if isinstance(value, (str, Path)):
        base = (info.context or {}).get("base")
        path = Path(value).expanduser()
        return path if base is None or path.is_absolute() else Path(base) / path
    return value


Bytes = Annotated[int, BeforeValidator(parse_bytes)]
Fraction = Annotated[float, BeforeValidator(parse_fraction)]
SuitePath = Annotated[Path, BeforeValidator(resolve_path)]
