"""What a gate asks, as bounds on ``candidate - factor * against`` or on ``candidate / against``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalsuite.records import Measurement
from evalsuite.suite.schema import GateSpec, Margin


@dataclass(frozen=True)
class Bound:
    """``candidate <= factor * against + offset`` (side ``upper``), or ``>=`` (``lower``).

    Attributes:
        factor: of the other side; 0 for a limit, where nothing is compared.
        offset: in the metric's unit; 0 for ratios.
        strict: whether the bound itself is outside: better than equal.
    """

    side: Literal["upper", "lower"]
    factor: float
    offset: float = 0.0
    strict: bool = False


def bounds_of(gate: GateSpec, candidate: Measurement) -> list[Bound]:
    """One bound, or two for equivalence and for a limit with both ends; the candidate has to keep them all."""
    if gate.test == "limit":
        upper = [] if gate.max is None else [Bound("upper", 0.0, gate.max)]
        lower = [] if gate.min is None else [Bound("lower", 0.0, gate.min)]
        return [*upper, *lower]
    if gate.test == "equivalence":
        return [_bound("upper", gate.margin, +1), _bound("lower", gate.margin, -1)]
    # A candidate gets worse towards the side of its bound; superiority moves the bound to the better side of equal.
    side: Literal["upper", "lower"] = "lower" if candidate.higher_is_better else "upper"
    worse = -1 if candidate.higher_is_better else +1
    if gate.test == "superiority":
        return [_bound(side, gate.margin, -worse, strict=True)]
    return [_bound(side, gate.margin, worse)]


def _bound(side: Literal["upper", "lower"], margin: Margin | None, direction: int, strict: bool = False) -> Bound:
    """The margin away from equality, upwards (+1) or downwards (-1)."""
    if margin is None:
        return Bound(side, 1.0, strict=strict)
    if margin.relative is not None:
        return Bound(side, 1.0 + direction * margin.relative, strict=strict)
    if margin.ratio is not None:
        # Written as candidate / against, so 1.1 and 0.9 both say how far from 1; which way, the test says.
        away = max(margin.ratio, 1 / margin.ratio)
        return Bound(side, away if direction > 0 else 1 / away, strict=strict)
    assert margin.absolute is not None
    return Bound(side, 1.0, direction * margin.absolute, strict)
