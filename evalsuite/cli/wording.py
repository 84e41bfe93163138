"""Numbers with units as people read them, for the terminal's tables."""

from __future__ import annotations

from evalsuite.records import Comparison, Interval, Measurement, Missing

_SCALED = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
}


def scale_of(size: float, unit: str) -> tuple[float, str]:
    """Divisor and name of the unit in which a number of this size reads best: ``(0.001, "ms")`` for 0.02 s."""
    steps = _SCALED.get(unit, ((1.0, unit),))
    return next((step for step in steps if abs(size) >= step[0]), steps[-1])


def number(value: float) -> str:
    """Four significant digits, without an exponent where a person would write none."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def measured(cell: Measurement | Missing | None) -> str:
    """``12.3 [11.8, 12.9]``, or the kind of absence."""
    if cell is None:
        return ""
    if isinstance(cell, Missing):
        return cell.kind
    divisor, unit = scale_of(cell.value, cell.unit)
    return f"{number(cell.value / divisor)}{' ' + unit if unit else ''}{_bounds(cell.interval, divisor)}"


def compared(comparison: Comparison) -> str:
    """``+1.2 [0.8, 1.6]``, ``x0.25 [0.24, 0.26]`` for a ratio, or why there is none."""
    if comparison.value is None:
        return f"incomparable: {comparison.incomparable}"
    if comparison.scale == "ratio":
        return f"x{number(comparison.value)}{_bounds(comparison.interval, 1.0)}"
    divisor, unit = scale_of(comparison.value, comparison.unit)
    value = f"{comparison.value / divisor:+.4g}{' ' + unit if unit else ''}"
    return f"{value}{_bounds(comparison.interval, divisor)}"


def size(count: float) -> str:
    """``31.4 MB``."""
    divisor, unit = scale_of(count, "bytes")
    return f"{count / divisor:.3g} {unit}"


def duration(seconds: float) -> str:
    """``3 min 20 s``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _bounds(interval: Interval | None, divisor: float) -> str:
    return "" if interval is None else f" [{number(interval.low / divisor)}, {number(interval.high / divisor)}]"
