"""Looks at a growing number of samples, and the share of the error rates that each may spend.

Judging the same gates again and again with more samples gives chance more occasions. Each look may spend a share of
``alpha``, and of the level at which gates pass, as large as the share of the samples that it adds: the linear spending
function of Lan and DeMets 1983 (with the exponent 1 of Kim and DeMets 1987). The shares add up to one, so that the
rates hold over all looks by the union bound, however the looks depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from evalsuite.suite.schema import Suite


@dataclass(frozen=True)
class Look:
    """One occasion on which gates are judged.

    Attributes:
        number: from 1.
        of: how many there are at most.
        num_samples: of each model, those of earlier looks included.
        share: of the error rates, in (0, 1].
    """

    number: int
    of: int
    num_samples: int
    share: float


def looks_of(suite: Suite) -> list[Look]:
    """All looks that the suite declares; one at its number of samples where it does not extend."""
    if suite.on_inconclusive != "extend":
        return [Look(1, 1, suite.sampling.num_samples, 1.0)]
    ends = [0, *suite.stages]
    return [
        Look(number, len(suite.stages), end, (end - begin) / ends[-1])
        for number, (begin, end) in enumerate(pairwise(ends), start=1)
    ]


def look_of(suite: Suite) -> Look:
    """The look that a run with the suite's number of samples is; a number that was not declared is looked at once."""
    wanted = suite.sampling.num_samples
    declared = (look for look in looks_of(suite) if look.num_samples == wanted)
    return next(declared, Look(1, 1, wanted, 1.0))
