"""Two sets of production images: are they still from one distribution, how far apart are they, and in which kinds?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsuite import plugins
from evalsuite.direct.extraction import Extraction
from evalsuite.direct.images import Images
from evalsuite.direct.measure import BATCH_SIZE, DEFAULT_EXTRACTOR, NOT_STATED, mixed_groups
from evalsuite.direct.sources import Given, read
from evalsuite.direct.tags import By, tags_of
from evalsuite.direct.two_samples import Deals, counts_test, deals, kernel_test
from evalsuite.errors import Skipped, UsageError
from evalsuite.metrics.contract import FeatureInputs
from evalsuite.metrics.kid import cubic
from evalsuite.pipeline.events import Event, Listener
from evalsuite.records import FeatureSet, Interval, Moments
from evalsuite.stats.evidence import StudentT, two_sided
from evalsuite.stats.jackknife import MIN_GROUPS, jackknife
from evalsuite.stats.multiple import holm, q_values
from evalsuite.stats.proportions import unpaired_moments
from evalsuite.store import Store

LEVEL = 0.95
MIN_SAMPLES = 20
PERMUTATIONS = 999

Source = str | Path | ArrayLike


@dataclass(frozen=True)
class Distance:
    """How far apart the two sets are.

    Attributes:
        value: unbiased: around 0, and of any sign, where nothing drifted.
        interval: of the value; the noise of both sets counts.
        plain: of Fréchet the distance as ``fid`` would print it, which is above 0 for any two sets; else None.
        typical: of the kernel distance: 95 % of pairs of sets from one distribution stay below this; else None.
        warning: a caveat, or "".
    """

    value: float
    interval: Interval
    plain: float | None = None
    typical: float | None = None
    warning: str = ""


@dataclass(frozen=True)
class Share:
    """How many of the images are of one kind.

    Attributes:
        reference, current: counts.
        change: of the share, current less reference, in [-1, 1].
        q_value: after Benjamini and Hochberg's correction for all kinds.
    """

    name: str
    reference: int
    current: int
    change: float
    interval: Interval
    q_value: float


@dataclass(frozen=True)
class InputDrift:
    """What was found.

    Attributes:
        drifted: whether the sets are from two distributions: one of both tests says so at the level, by Holm.
        p_features, p_shares: of "the same features", and of "the same shares of all kinds"; corrected for each other.
        kid, fid: distances; Fréchet may be missing, and then it is the reason why.
        shares: by kind, the largest change first; empty where no kinds were asked for.
        sizes: images of both sets.
    """

    drifted: bool
    alpha: float
    p_features: float
    p_shares: float | None
    kid: Distance
    fid: Distance | str
    shares: tuple[Share, ...]
    sizes: tuple[int, int]
    extractor: str


def drift(
    *,
    reference: Source,
    current: Source,
    extractor: str | None = None,
    by: By = "auto",
    clusters: int = 10,
    alpha: float = 0.01,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    batch_size: int = BATCH_SIZE,
    cache: str | Path | None = None,
    listener: Listener = lambda event: None,
) -> InputDrift:
    """Compare two sets of images, or of features.

    Args:
        reference, current: as of :func:`evalsuite.direct.measure.measure`; images should be independent, so not
            neighbouring frames of a video.
        extractor: of the features; else ``inception-v3``.
        by: what kinds shares are taken of, see :func:`evalsuite.direct.tags.tags_of`.
        clusters: how many, where kinds are clusters.
        alpha: chance of a false alarm.
        permutations: of the tests; the smallest p-value is ``1 / (permutations + 1)``.
        seed: of permutations and clusters.
        batch_size, cache, listener: as of ``measure``.

    Raises:
        UsageError: something given cannot be read, is too small, or makes no sense.
        CellError: there are no features.
        StoreError: the cache cannot be used.
    """
    if 2 / (permutations + 1) > alpha:
        raise UsageError(
            f"{permutations} permutations give no p-value below {1 / (permutations + 1):.2g}, expected at least "
            f"{int(np.ceil(2 / alpha)) - 1} for two tests at {alpha:g}"
        )
    given = [read(reference, "reference"), read(current, "current")]
    listener(Event("stage", "extract"))
    extraction = Extraction(Store(cache), batch_size, listener)
    features = [
        _features(side, extractor, extraction, what) for side, what in zip(given, ("reference", "current"), strict=True)
    ]
    _check(features)
    random = np.random.default_rng(seed)
    sizes = (len(features[0].features), len(features[1].features))
    dealt = deals(*sizes, permutations, random)
    pooled = np.concatenate([side.features for side in features]).astype(np.float64)
    kernel = kernel_test(pooled / pooled.shape[1] ** 0.5, cubic, dealt)
    p_values = [kernel.p_value]
    shares: tuple[Share, ...] = ()
    if by != "none":
        names, tags = tags_of(by, given, features, clusters, random)
        p_values.append(counts_test(tags, dealt))
        shares = _shares(names, tags, dealt)
    corrected = holm(p_values)
    return InputDrift(
        drifted=min(corrected) <= alpha,
        alpha=alpha,
        p_features=corrected[0],
        p_shares=corrected[1] if by != "none" else None,
        kid=replace(_distance(kernel.evidence), typical=kernel.typical),
        fid=_frechet(features),
        shares=shares,
        sizes=sizes,
        extractor=features[0].extractor,
    )


def _features(given: Given, extractor: str | None, extraction: Extraction, what: str) -> FeatureSet:
    """Features of one side.

    Raises:
        UsageError: there are only their moments.
    """
    if isinstance(given, Moments):
        raise UsageError(f"{what}: found mean and covariance, expected images or features, since samples are dealt out")
    if isinstance(given, Images):
        return extraction.features(given, extractor or DEFAULT_EXTRACTOR, what)
    return replace(given, extractor=given.extractor or extractor or NOT_STATED)


def _check(features: Sequence[FeatureSet]) -> None:
    """Refuse sets that no test can tell apart, or that are not alike.

    Raises:
        UsageError: says what was found.
    """
    for side, what in zip(features, ("reference", "current"), strict=True):
        if len(side.features) < MIN_SAMPLES:
            raise UsageError(f"{what}: found {len(side.features)} samples, expected at least {MIN_SAMPLES}")
        bad = int((~np.isfinite(side.features)).any(axis=1).sum())
        if bad:
            raise UsageError(f"{what}: {side.extractor} gives NaN or infinite features for {bad} images; look at those")
    dims = [side.features.shape[1] for side in features]
    if dims[0] != dims[1]:
        raise UsageError(
            f"features of the reference have {dims[0]} dimensions and current ones {dims[1]}; "
            "expected features of one extractor on both sides"
        )


def _frechet(features: Sequence[FeatureSet]) -> Distance | str:
    """Fréchet distance without the bias of either set, whose groups are left out in turn; or why there is none."""
    metric = plugins.find("metrics", "fid")()
    plain, parts, warning = 0.0, [], ""
    for mine, other in (features, features[::-1]):
        groups = mixed_groups(len(mine.features), None)
        try:
            found = metric.compute(FeatureInputs(generated=mine, reference=other, groups=groups))[""]
        except Skipped as reason:
            return str(reason)
        if found.replicates is None or len(found.replicates) < MIN_GROUPS:
            return f"needs samples in at least {MIN_GROUPS} groups"
        plain, warning = found.value, warning or found.invalid
        parts.append(jackknife(found.value, found.replicates, found.group_sizes))
    debiased = plain + sum(part.value - plain for part in parts)
    error = float(np.sqrt(sum(part.standard_error**2 for part in parts)))
    freedom = min(part.degrees_of_freedom for part in parts)
    evidence = StudentT(debiased, error, freedom, "delete-group jackknife of both sets")
    return replace(_distance(evidence), plain=plain, warning=warning)


def _shares(names: Sequence[str], tags: NDArray[np.int64], dealt: Deals) -> tuple[Share, ...]:
    """The kinds that are there, the largest change first."""
    first = dealt[0]
    sizes = int(first.sum()), int((~first).sum())
    counts = [np.bincount(tags[side], minlength=len(names)) for side in (first, ~first)]
    present = [kind for kind in range(len(names)) if counts[0][kind] + counts[1][kind]]
    evidence = []
    for kind in present:
        before, after = int(counts[0][kind]), int(counts[1][kind])
        centre, error = unpaired_moments(after, sizes[1], before, sizes[0], 1.0)
        change = after / sizes[1] - before / sizes[0]
        evidence.append(StudentT(change, error, np.inf, "Agresti-Caffo, unpaired", centre))
    corrected = q_values([two_sided(one, 0.0) for one in evidence], overlapping=False)
    found = [
        Share(names[kind], int(counts[0][kind]), int(counts[1][kind]), one.value, _interval(one), q)
        for kind, one, q in zip(present, evidence, corrected, strict=True)
    ]
    return tuple(sorted(found, key=lambda share: (-round(abs(share.change), 9), share.name)))


def _distance(evidence: StudentT) -> Distance:
    return Distance(evidence.value, _interval(evidence))


def _interval(evidence: StudentT) -> Interval:
    low, high = evidence.interval(LEVEL)
    return Interval(low=low, high=high, level=LEVEL, method=evidence.method)
