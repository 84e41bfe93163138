"""What two measurements together say about their difference or ratio, family by family."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evalsuite.errors import EvalsuiteError
from evalsuite.records import Family, Measurement
from evalsuite.stats import proportions
from evalsuite.stats.evidence import Evidence, Extent, PairedProportions, Ratio, Rounds, StudentT, exactly
from evalsuite.stats.jackknife import Jackknife, jackknife
from evalsuite.stats.signed_rank import hodges_lehmann
from evalsuite.stats.single import shortage

Floats = NDArray[np.float64]

MEMORY_TOLERANCE_BYTES = 2**20
MEMORY_TOLERANCE_SHARE = 0.02
"""Peaks that differ by less than the larger of 1 MiB and 2 % count as equal."""

RATIO_FAMILIES = (Family.LATENCY, Family.MEMORY, Family.COUNT)
PLAIN_NOTE = "plain difference: conservative interval, since the bias of both sides is assumed to be alike"
DEBIASED_NOTE = "bias-corrected by the jackknife; not the difference of the printed values"
UNPAIRED_NOTE = "unpaired: the samples of the two do not belong together"
OTHER_MACHINE = "; to judge times and memory on any machine, compare with the teacher of the same run"
SESSIONS_NOTE = "timed in different sessions: a change of the machine between them is not in the interval"

_TARGETS_OWN = ("environment.", "batch_size")
_MEMORY_SOURCE = "environment.memory_source"


class Common(Enum):
    """What two measurements have in common, and so how they may be paired."""

    RUN = "samples of the same id, and rounds timed in turn"
    SEEDS = "samples of the same id"
    NOTHING = "nothing"


class Incomparable(EvalsuiteError):
    """Two measurements that must not be compared; the message names the field that differs, or what is missing."""


class TooFew(Incomparable):
    """Two measurements that more samples, groups or rounds would make comparable."""


@dataclass(frozen=True)
class Contrast:
    """``candidate - multiplier * against``, or their ratio.

    Attributes:
        evidence: estimate, interval and p-values.
        scale: which of the two it is.
        paired: whether samples, groups or rounds were matched.
        n: samples (pairs), rounds or processes of the candidate.
        invalid: which side broke which rule of its protocol, or "".
        note: what a reader must know.
    """

    evidence: Evidence
    scale: Literal["difference", "ratio"]
    paired: bool
    n: int
    note: str = ""
    invalid: str = ""

    @property
    def null(self) -> float:
        """The value that means no difference."""
        return 1.0 if self.scale == "ratio" else 0.0


def contrast(
    candidate: Measurement, against: Measurement, *, multiplier: float = 1.0, common: Common = Common.RUN
) -> Contrast:
    """What is known of ``candidate - multiplier * against``; for times, memory and counts, of ``candidate / against``.

    Args:
        candidate, against: of the same metric.
        multiplier: other than 1 for relative margins; ratios need none and leave it out.
        common: what the two share; samples of equal ids are pairs only if they also share their seeds.

    Raises:
        Incomparable: they were measured by different protocols.
        TooFew: one of them has too little for an interval.
    """
    if reason := unlike(candidate, against, common):
        raise Incomparable(reason)
    if lacking := _shortage(candidate) or _shortage(against):
        raise TooFew(lacking)
    match candidate.family:
        case Family.MEAN | Family.MMD:
            found = _means(candidate, against, multiplier, common)
        case Family.PROPORTION:
            found = _proportions(candidate, against, multiplier, common)
        case Family.LATENCY:
            found = _rounds(candidate, against, common)
        case Family.MEMORY:
            found = _peaks(candidate, against)
        case Family.COUNT:
            found = _counts(candidate, against)
        case _:
            found = _groups(candidate, against, multiplier, common)
    return replace(found, invalid="; ".join(filter(None, [invalidity(candidate), invalidity(against)])))


def invalidity(measurement: Measurement) -> str:
    """Which rule of its protocol a measurement broke, with its name; or ""."""
    return measurement.invalid and f"{measurement.name} of {measurement.case_key} is INVALID: {measurement.invalid}"


def unchanged(candidate: Measurement, against: Measurement) -> bool:
    """Whether the two were measured on the very same images, as a model and its own baseline are.

    Then they tell nothing of how much a model that has changed would vary. Shares are left out: equal answers on other
    images are nothing unusual, and their tests allow for it.
    """
    if candidate.family in (Family.MEAN, Family.MMD):
        a, b = candidate.per_sample, against.per_sample
    elif candidate.family in (Family.FRECHET, Family.FRECHET_DEBIASED, Family.JACKKNIFE):
        a, b = candidate.replicates, against.replicates
    else:
        return False
    return a is not None and b is not None and np.array_equal(a.astype(np.float32), b.astype(np.float32))


def unlike(candidate: Measurement, against: Measurement, common: Common = Common.RUN) -> str:
    """Which field of the protocols differs, with both values; "" where none does.

    Between two targets of one run, what belongs to the target (threads, precision, batch size) may differ: that is
    what is compared.
    """
    crossing = common is Common.RUN and candidate.target != against.target
    sides = [
        {**{field: getattr(m, field) for field in ("metric", "unit", "family", "extractor")}, **m.protocol}
        for m in (candidate, against)
    ]
    for field in sides[0] | sides[1]:
        of_target = field.startswith(_TARGETS_OWN) and field != _MEMORY_SOURCE
        found, other = (side.get(field, "none") for side in sides)
        if found != other and not (crossing and of_target):
            advice = OTHER_MACHINE if common is not Common.RUN and field.startswith("environment.") else ""
            return f"measured by different protocols: {field} is {found} and {other}{advice}"
    if candidate.family == Family.JACKKNIFE and candidate.n != against.n:
        return f"measured by different protocols: n is {candidate.n} and {against.n}"
    return ""


def _shortage(measurement: Measurement) -> str:
    lacking = shortage(measurement)
    if measurement.family == Family.MEMORY and measurement.replicates is not None:
        return ""  # nearly deterministic: one process has no range, but can be compared
    return f"{measurement.case_key}: {lacking}" if lacking else ""


def _same_samples(candidate: Measurement, against: Measurement, common: Common) -> bool:
    a, b = candidate.sample_ids, against.sample_ids
    return common is not Common.NOTHING and a is not None and b is not None and np.array_equal(a, b)


def _array(array: Floats | None) -> Floats:
    """An array whose presence `shortage` has checked."""
    assert array is not None
    return array


# --- values by sample ----------------------------------------------------------------------------------------------


def _means(candidate: Measurement, against: Measurement, multiplier: float, common: Common) -> Contrast:
    """t on paired values (for MMD on the projection h, whose mean is not the value), else Welch's."""
    a, b = _array(candidate.per_sample), _array(against.per_sample)
    value = candidate.value - multiplier * against.value
    if _same_samples(candidate, against, common):
        if multiplier == 1 and np.array_equal(a.astype(np.float32), b.astype(np.float32)):
            # The same samples twice: exactly no difference, whatever the last digits say.
            return Contrast(StudentT(0.0, 0.0, len(a) - 1, "identical samples"), "difference", True, len(a))
        error = float(np.std(a - multiplier * b, ddof=1) / np.sqrt(len(a)))
        return Contrast(StudentT(value, error, len(a) - 1, "t, paired by sample"), "difference", True, len(a))
    errors = [float(np.std(x, ddof=1) / np.sqrt(len(x))) for x in (a, multiplier * b)]
    evidence = _welch(value, errors, [len(a) - 1, len(b) - 1], "Welch t, unpaired")
    return Contrast(evidence, "difference", False, len(a), UNPAIRED_NOTE)


def _welch(value: float, errors: list[float], freedoms: list[float], method: str) -> StudentT:
    """The difference of independent estimates, with the degrees of freedom of Welch and Satterthwaite."""
    squares = [error**2 for error in errors]
    total = sum(squares)
    spread = sum(square**2 / freedom for square, freedom in zip(squares, freedoms, strict=True))
    return StudentT(value, float(np.sqrt(total)), total**2 / spread if spread else min(freedoms), method)


def _proportions(candidate: Measurement, against: Measurement, multiplier: float, common: Common) -> Contrast:
    """Tango's score for the difference of paired shares; adjusted normal intervals for the rest."""
    a, b = _array(candidate.per_sample), _array(against.per_sample)
    paired = _same_samples(candidate, against, common)
    if paired and multiplier == 1:
        return Contrast(PairedProportions(*proportions.discordant(a, b), len(a)), "difference", True, len(a))
    if paired:
        centre, error = proportions.paired_moments(a, b, multiplier)
        method = "Agresti-Min, paired by sample"
    else:
        centre, error = proportions.unpaired_moments(int(a.sum()), len(a), int(b.sum()), len(b), multiplier)
        method = "Agresti-Caffo, unpaired"
    value = candidate.value - multiplier * against.value
    note = "" if paired else UNPAIRED_NOTE
    return Contrast(StudentT(value, error, np.inf, method, centre), "difference", paired, len(a), note)


# --- values with a group left out ----------------------------------------------------------------------------------


def _groups(candidate: Measurement, against: Measurement, multiplier: float, common: Common) -> Contrast:
    """The jackknife of the difference where both leave out the same groups, else of each side."""
    value = candidate.value - multiplier * against.value
    a, b = _array(candidate.replicates), _array(against.replicates)
    sizes, other_sizes = candidate.group_sizes, against.group_sizes
    assert sizes is not None
    assert other_sizes is not None
    paired = _same_samples(candidate, against, common) and np.array_equal(sizes, other_sizes)
    if paired:
        spread = jackknife(value, a - multiplier * b, sizes)
        errors = StudentT(value, spread.standard_error, spread.degrees_of_freedom, "delete-group jackknife, paired")
    else:
        own, others = jackknife(candidate.value, a, sizes), jackknife(against.value, b, other_sizes)
        spread = Jackknife(own.value - multiplier * others.value, 0.0, 0)
        parts = [own.standard_error, multiplier * others.standard_error]
        freedoms = [float(own.degrees_of_freedom), float(others.degrees_of_freedom)]
        errors = _welch(value, parts, freedoms, "delete-group jackknife, unpaired")
    # The bias of Fréchet depends on the model, so it does not cancel; that of nearest-neighbour statistics is not of
    # the order that a jackknife removes, and the debiased value has lost its own already.
    corrected = candidate.family == Family.FRECHET
    notes = [{Family.FRECHET: DEBIASED_NOTE, Family.JACKKNIFE: PLAIN_NOTE}.get(candidate.family, "")]
    notes += [] if paired else [UNPAIRED_NOTE]
    centre = spread.value if corrected else value
    evidence = StudentT(centre, errors.standard_error, errors.degrees_of_freedom, errors.method)
    return Contrast(evidence, "difference", paired, candidate.n, "; ".join(filter(None, notes)))


# --- timings -------------------------------------------------------------------------------------------------------


def _rounds(candidate: Measurement, against: Measurement, common: Common) -> Contrast:
    """The ratio of rounds that were timed in turn; of different sessions, the ratio of their geometric means."""
    a, b = np.log(_array(candidate.replicates)), np.log(_array(against.replicates))
    # The models of one target are timed in turn; each target has a session of its own.
    in_turn = common is Common.RUN and candidate.target == against.target
    if in_turn and len(a) == len(b):
        ratios = a - b
        value = float(np.exp(hodges_lehmann(ratios).value))
        method = f"Hodges-Lehmann, signed-rank over {len(a)} rounds"
        return Contrast(Rounds(value, ratios, method), "ratio", True, len(a))
    errors = [float(np.std(x, ddof=1) / np.sqrt(len(x))) for x in (a, b)]
    log = _welch(float(a.mean() - b.mean()), errors, [len(a) - 1, len(b) - 1], "Welch t on logarithms, unpaired")
    return Contrast(Ratio(log), "ratio", False, len(a), SESSIONS_NOTE)


def _peaks(candidate: Measurement, against: Measurement) -> Contrast:
    """The ratio of medians, and the range that the processes allow."""
    a, b = _array(candidate.replicates), _array(against.replicates)
    floor = max(float(np.median(b)), 1.0)  # a peak of 0 bytes above idle is one that was too small to see
    tolerance = max(MEMORY_TOLERANCE_BYTES / floor, MEMORY_TOLERANCE_SHARE)
    low, high = float(a.min() / max(b.max(), 1.0)), float(a.max() / max(b.min(), 1.0))
    evidence = Extent(float(np.median(a)) / floor, low, high, "range of processes", tolerance)
    note = f"no p-value: equal within {100 * tolerance:.2g} % (the larger of 1 MiB and 2 %)"
    return Contrast(evidence, "ratio", False, len(a), note)


def _counts(candidate: Measurement, against: Measurement) -> Contrast:
    """The ratio of exact numbers.

    Raises:
        Incomparable: the other number is 0.
    """
    if against.value == 0:
        raise Incomparable(f"{against.name} of {against.case_key} is 0, and there is no ratio to it")
    return Contrast(exactly(candidate.value / against.value), "ratio", False, candidate.n, "no p-value: exact numbers")
