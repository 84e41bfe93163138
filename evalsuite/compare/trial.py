"""One gate on one candidate and slice: its bounds put to the test."""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.compare.bounds import Bound, bounds_of
from evalsuite.compare.contrast import RATIO_FAMILIES, Common, Contrast, Incomparable, TooFew, contrast, invalidity
from evalsuite.records import Measurement
from evalsuite.stats.evidence import Extent
from evalsuite.stats.single import evidence_of, shortage
from evalsuite.suite.schema import GateSpec


@dataclass(frozen=True)
class Chance:
    """One bound put to the test: p-values of "it is kept" and of "it is broken"."""

    p_fail: float
    p_pass: float
    bound: Bound
    found: Contrast


@dataclass(frozen=True)
class Trial:
    """A gate on one candidate.

    Attributes:
        candidate, against: the two sides; on the slice that decided, for ``slice: worst``.
        binding: the bound that decided.
        p_fail, p_pass: over all bounds and slices.
        slices: how many slices were judged.
    """

    gate: GateSpec
    candidate: Measurement
    against: Measurement | None
    binding: Chance
    p_fail: float
    p_pass: float
    slices: int = 1

    @property
    def exact(self) -> bool:
        """Whether the p-values are none: all repetitions say so (0), or not all (1)."""
        return isinstance(self.binding.found.evidence, Extent)


def put_to_test(gate: GateSpec, candidate: Measurement, against: Measurement | None, common: Common) -> Trial:
    """The gate on one pair of measurements, or on the candidate alone for a limit.

    Raises:
        Incomparable: the protocols differ, or the margin means nothing here.
        TooFew: there is too little for a test.
    """
    _check_meaning(gate, candidate, against)
    chances = [_chance(bound, candidate, against, common) for bound in bounds_of(gate, candidate)]
    # Within all bounds to pass; outside any to fail, which gives chance as many occasions as there are bounds.
    p_fail = min(1.0, len(chances) * min(chance.p_fail for chance in chances))
    binding = max(chances, key=lambda chance: (chance.p_pass, -chance.p_fail))
    return Trial(gate, candidate, against, binding, p_fail, binding.p_pass)


def _check_meaning(gate: GateSpec, candidate: Measurement, against: Measurement | None) -> None:
    """Refuse questions that have no answer.

    Raises:
        Incomparable: says which question can be asked instead.
    """
    if candidate.higher_is_better is None and gate.test not in ("limit", "equivalence"):
        raise Incomparable(f"{candidate.name} has no better direction; use test: equivalence or limit")
    if against is None or gate.margin is None:
        return
    ratio = candidate.family in RATIO_FAMILIES
    if gate.margin.relative is not None and not ratio and against.value <= 0:
        found = f"{against.name} of {against.case_key} is {against.value:.4g}"
        raise Incomparable(f"{found}, and a share of what is not above 0 is no margin; use margin: {{absolute: ...}}")
    if ratio != (gate.margin.ratio is not None) and gate.margin.relative is None:
        fitting = "relative or ratio" if ratio else "relative or absolute"
        raise Incomparable(f"the margin does not fit {candidate.name}; use {fitting}")


def _chance(bound: Bound, candidate: Measurement, against: Measurement | None, common: Common) -> Chance:
    """Test one bound.

    Raises:
        Incomparable: the protocols differ.
        TooFew: there is too little for a test.
    """
    if against is None:
        found = _single(candidate)
    else:
        found = contrast(candidate, against, multiplier=bound.factor, common=common)
    if found.invalid:
        raise TooFew(found.invalid)
    limit = bound.factor if against is not None and found.scale == "ratio" else bound.offset
    # What counts as equal is within the bound, and not yet better than it.
    tolerance = found.evidence.tolerance if isinstance(found.evidence, Extent) else 0.0
    outwards = -tolerance if bound.strict else tolerance
    if bound.side == "upper":
        above, below = found.evidence.above(limit + outwards), found.evidence.below(limit + outwards)
        return Chance(above, below, bound, found)
    above, below = found.evidence.above(limit - outwards), found.evidence.below(limit - outwards)
    return Chance(below, above, bound, found)


def _single(candidate: Measurement) -> Contrast:
    """The candidate's own value.

    Raises:
        TooFew: there is too little for a test.
    """
    evidence = evidence_of(candidate)
    if evidence is None:
        raise TooFew(f"{candidate.case_key}: {shortage(candidate)}")
    rounds = candidate.replicates if candidate.family in RATIO_FAMILIES else None
    n = candidate.n if rounds is None else len(rounds)
    return Contrast(evidence, "difference", False, n, invalid=invalidity(candidate))
