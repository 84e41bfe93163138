"""Numbers as sentences of a comparison say them."""

from __future__ import annotations

from evalsuite.records import Interval

_STEPS = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")),
    "parameters": ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")),
    "FLOPs": ((1e12, "TFLOPs"), (1e9, "GFLOPs"), (1e6, "MFLOPs")),
}


def quantity(value: float, unit: str = "") -> str:
    """``12.34``, ``81.2 ms``, ``212 MB``: four digits, in a unit that leaves few zeros."""
    for step, name in _STEPS.get(unit, ()):
        if abs(value) >= step:
            return f"{value / step:.4g} {name}"
    return f"{value:.4g} {unit}".rstrip()


def bare(value: float) -> str:
    """``0.3``, ``600 M``: a bound as a gate names it, who does not know the metric's unit."""
    for step, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if abs(value) >= step:
            return f"{value / step:g} {prefix}"
    return f"{value:g}"


def between(interval: Interval, unit: str = "") -> str:
    """``95 % interval 1.2 to 3.4``; without a level where the interval is a plain range, or nothing uncertain."""
    if interval.exact:
        return "exact"
    low, high = quantity(interval.low, unit), quantity(interval.high, unit)
    (low_number, _, low_unit), high_unit = low.partition(" "), high.partition(" ")[2]
    ends = f"{low_number if low_unit == high_unit else low} to {high}"
    return f"range {ends}" if interval.method.startswith("range") else f"{100 * interval.level:g} % interval {ends}"


def chance(p_value: float) -> str:
    """``p = 0.012``, ``p < 0.0001``."""
    return "p < 0.0001" if p_value < 1e-4 else f"p = {p_value:.2g}"
