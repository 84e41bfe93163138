"""Sizes and durations as people read them."""

from __future__ import annotations

_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def size(count: float) -> str:
    """``31.4 MB``."""
    divisor, unit = next((step for step in _BYTES if count >= step[0]), _BYTES[-1])
    return f"{count / divisor:.3g} {unit}"


def duration(seconds: float) -> str:
    """``3 min 20 s``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
