"""What a gate asks and how it ended, in words."""

from __future__ import annotations

import math

from evalsuite.records import Comparison, Measurement
from evalsuite.stats.power import samples_needed
from evalsuite.suite.schema import GateSpec, Margin

PASS_LEVEL = 0.05
"""Level of ``p_pass``; not corrected for several gates, since all must pass."""


def gate_line(gate: GateSpec, who: str) -> str:
    """The gate in one line: ``fid of student-4step@cpu against teacher: non_inferiority, margin 100%``."""
    place = "" if gate.slice == "all" else f" on {gate.slice}"
    against = f" against {gate.against}" if gate.against else ""
    return f"{gate.metric} of {who}{place}{against}: {gate.test}{_terms(gate)}"


def _terms(gate: GateSpec) -> str:
    if gate.margin is not None:
        return f", margin {margin_text(gate.margin)}"
    limits = [f"{name} {value:g}" for name, value in (("min", gate.min), ("max", gate.max)) if value is not None]
    return "".join(f", {limit}" for limit in limits)


def margin_text(margin: Margin) -> str:
    """``5%``, ``0.3`` or ``ratio 8``."""
    if margin.relative is not None:
        return f"{100 * margin.relative:g}%"
    return f"ratio {margin.ratio:g}" if margin.ratio is not None else f"{margin.absolute:g}"


def reason_of(
    outcome: str, gate: GateSpec, candidate: Measurement, against: Measurement | None, comparison: Comparison | None
) -> str:
    """One sentence: the numbers, and what follows from them."""
    unit = f" {candidate.unit}" if candidate.unit else ""
    if against is None or comparison is None:
        spread = _between(candidate.interval.low, candidate.interval.high) if candidate.interval else ""
        return f"{candidate.name} is {candidate.value:.4g}{unit}{spread}: {_limit_ending(outcome)}."
    ending = _ending(outcome, gate)
    change = _change(comparison, unit)
    more = _samples_advice(gate, candidate, against, comparison) if outcome == "inconclusive" else ""
    return (
        f"{candidate.name} is {candidate.value:.4g}{unit} against {against.value:.4g}{unit}: {change}, {ending}{more}."
    )


def _between(low: float, high: float) -> str:
    return f" (between {low:.4g} and {high:.4g})"


def _change(comparison: Comparison, unit: str) -> str:
    assert comparison.value is not None
    spread = _between(comparison.interval.low, comparison.interval.high) if comparison.interval else ""
    if comparison.scale == "ratio":
        return f"{comparison.value:.3g} times as much{spread}"
    note = " bias-corrected" if comparison.note else ""
    return f"a{note} difference of {comparison.value:+.4g}{unit}{spread}"


def _limit_ending(outcome: str) -> str:
    return {"pass": "within the limit", "fail": "beyond the limit"}.get(outcome, "too close to the limit to tell")


def _ending(outcome: str, gate: GateSpec) -> str:
    margin = f" by the margin of {margin_text(gate.margin)}" if gate.margin else ""
    if outcome == "inconclusive":
        return "too uncertain to tell"
    if gate.test == "superiority":
        return f"shown to be better{margin}" if outcome == "pass" else f"shown not to be better{margin}"
    if gate.margin is None:
        return "not shown to be worse" if outcome == "pass" else "shown to be worse"
    return (
        f"within the margin of {margin_text(gate.margin)}"
        if outcome == "pass"
        else (f"beyond the margin of {margin_text(gate.margin)}")
    )


def _samples_advice(gate: GateSpec, candidate: Measurement, against: Measurement, comparison: Comparison) -> str:
    """How many samples would decide, if the difference stays what it is; "" where that is not known."""
    found, error = comparison.value, comparison.standard_error
    if found is None or error is None or comparison.scale == "ratio" or gate.margin is None:
        return ""
    worse = found if not candidate.higher_is_better else -found
    margin = gate.margin
    allowed = margin.absolute if margin.absolute is not None else (margin.relative or 0.0) * abs(against.value)
    needed = samples_needed(candidate.n, error, abs(worse - allowed), PASS_LEVEL)
    return f"; about {needed:.0f} samples would decide" if math.isfinite(needed) else ""
