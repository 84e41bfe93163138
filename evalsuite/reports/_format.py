"""How numbers and foreign texts are written: readable units, digits an interval can bear, nothing invisible."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalsuite.records import Family, Interval

MINUS = "\N{MINUS SIGN}"
ACRONYMS = frozenset({"fid", "kid", "psnr", "ssim", "lpips", "dists", "mmd", "cmmd", "clip", "nfe"})
SPELLINGS = {"flops": "FLOPs", "num": "number of"}
_SCALES: dict[str, tuple[tuple[float, str], ...]] = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "parameters": ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1.0, "")),
    "FLOPs": ((1e12, "TFLOPs"), (1e9, "GFLOPs"), (1e6, "MFLOPs"), (1.0, "FLOPs")),
    "J": ((1.0, "J"), (1e-3, "mJ")),
}


@dataclass(frozen=True)
class Scale:
    """The unit that a row of a table is written in: ``shown = value / divisor``."""

    divisor: float = 1.0
    unit: str = ""
    difference_unit: str = ""


def scale_for(unit: str, family: Family, values: Iterable[float]) -> Scale:
    """One unit for all values of a row: the largest in which the greatest value is at least one."""
    greatest = max((abs(value) for value in values), default=0.0)
    if unit in _SCALES:
        choices = _SCALES[unit]
        divisor, shown = next((choice for choice in choices if greatest >= choice[0]), choices[-1])
        return Scale(divisor, shown, shown)
    if family is Family.PROPORTION and not unit:
        return Scale(0.01, "%", "points")
    if not unit and 0 < greatest < 0.05:
        return Scale(1e-3, "×10⁻³", "×10⁻³")
    return Scale(1.0, unit, unit)


def decimals(value: float, interval: Interval | None, divisor: float = 1.0) -> int:
    """Digits after the point: one or two significant ones of the interval's half-width, else four of the value."""
    if interval is not None and interval.exact and (value / divisor).is_integer():
        return 0
    spread = (interval.high - interval.low) / 2 / divisor if interval else 0.0
    if spread > 0 and math.isfinite(spread):
        # The second digit of a half-width of 0.12 says something, that of 0.96 does not.
        places = math.ceil(-math.log10(spread)) + (_mantissa(spread) < 2.95)
    elif value and math.isfinite(value):
        places = 3 - math.floor(math.log10(abs(value) / divisor))
    else:
        places = 0
    return min(max(places, 0), 6)


def _mantissa(value: float) -> float:
    return float(value / 10.0 ** math.floor(math.log10(value)))


def number(value: float, digits: int, *, signed: bool = False) -> str:
    """Fixed point with a true minus sign; thin spaces between thousands from 10 000 on; ``signed`` writes ``+`` too."""
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: f"{MINUS}∞"}.get(value, "not a number")
    rounded = round(value, digits)
    if rounded == 0 and value != 0 and digits == 6:
        return f"{value:.1e}".replace("-", MINUS)
    grouped = f"{abs(rounded):,.{digits}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    text = grouped if abs(rounded) >= 10_000 else f"{abs(rounded):.{digits}f}"
    return (MINUS if rounded < 0 else "+" if signed and rounded > 0 else "") + text


def bounds(interval: Interval | None, digits: int, divisor: float = 1.0, *, signed: bool = False) -> str:
    """``[7.9, 8.3]``, or "" where there is none, or nothing uncertain."""
    if interval is None or interval.exact:
        return ""
    low, high = (number(bound / divisor, digits, signed=signed) for bound in (interval.low, interval.high))
    return f"[{low}, {high}]"


def probability(value: float | None) -> str:
    """``0.013``, ``< 0.001``; "" for None."""
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def metric_title(name: str, metric: str) -> str:
    """A metric's label as a heading: ``fid_debiased`` is "FID debiased"; a label of the user's own stays as it is."""
    if name != metric and not name.startswith(f"{metric}_"):
        return name
    words = [SPELLINGS.get(word, word.upper() if word in ACRONYMS else word) for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def counted(count: int, noun: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def condition(slice_id: str) -> str:
    """A slice as the start of a caption."""
    return "All samples" if slice_id == "all" else f"Slice {slice_id}"


def plain(text: str) -> str:
    """Foreign text with every character visible: control, format and line-separating ones become ``<U+202E>``."""
    hidden = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    return "".join(f"<U+{ord(c):04X}>" if unicodedata.category(c) in hidden else c for c in text.replace("\n", " "))


def flattened(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested mappings as ``(dotted key, text)``; lists are joined with commas."""
    rows: list[tuple[str, str]] = []
    for key, value in content.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flattened(value, f"{name}.")
        elif isinstance(value, list | tuple):
            rows.append((name, ", ".join(map(str, value))))
        else:
            rows.append((name, "none" if value is None else str(value)))
    return rows
