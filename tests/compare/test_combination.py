"""Linear combinations against the tests that they are, and against simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_ind, ttest_rel

from evalsuite.compare.combination import Weighted, combination
from evalsuite.compare.contrast import Incomparable, TooFew
from evalsuite.records import Family, Measurement
from evalsuite.stats.evidence import two_sided
from evalsuite.stats.jackknife import jackknife
from tests.compare.inputs import measurement, of_samples

rng = np.random.default_rng(0)
A, B, C, D = rng.normal(size=(4, 50)) + np.linspace(0, 3, 50)


def combined(*parts: tuple[float, Measurement]) -> Any:
    return combination([Weighted(coefficient, cell) for coefficient, cell in parts])


def test_two_measurements_of_the_same_samples_are_the_paired_t_test() -> None:
    found, expected = combined((1, of_samples(A)), (-1, of_samples(B))), ttest_rel(A, B)
    assert found.paired
    assert two_sided(found.evidence, 0.0) == pytest.approx(expected.pvalue)
    assert found.evidence.interval(0.95) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_two_measurements_of_other_samples_are_welchs() -> None:
    ours, theirs = of_samples(A), of_samples(2 * B[:20], ids=np.arange(100, 120))
    found, expected = combined((1, ours), (-1, theirs)), ttest_ind(A, 2 * B[:20], equal_var=False)
    assert not found.paired
    assert two_sided(found.evidence, 0.0) == pytest.approx(expected.pvalue)
    assert found.evidence.degrees_of_freedom == pytest.approx(expected.df)


def test_samples_without_ids_are_nobody_elses() -> None:
    unseeded = of_samples(B).model_copy(update={"sample_ids": None})
    found = combined((1, of_samples(A)), (-1, unseeded))
    assert two_sided(found.evidence, 0.0) == pytest.approx(ttest_ind(A, B, equal_var=False).pvalue)


def test_a_part_less_the_whole_is_a_share_of_the_part_less_the_rest() -> None:
    part = np.arange(0, 50, 5)
    rest = np.setdiff1d(np.arange(50), part)
    found = combined((1, of_samples(A[part], ids=part)), (-1, of_samples(A)))
    expected = ttest_ind(A[part], A[rest], equal_var=False)
    assert found.evidence.value == pytest.approx(0.8 * (A[part].mean() - A[rest].mean()))
    assert two_sided(found.evidence, 0.0) == pytest.approx(expected.pvalue)


def test_a_difference_of_differences_is_the_t_test_of_each_samples() -> None:
    found = combined((1, of_samples(A)), (-1, of_samples(B)), (-1, of_samples(C)), (1, of_samples(D)))
    assert two_sided(found.evidence, 0.0) == pytest.approx(ttest_rel(A - B, C - D).pvalue)


def test_the_value_of_mmd_is_not_the_mean_of_its_projection() -> None:
    ours, theirs = (measurement(Family.MMD, value, per_sample=x) for value, x in ((0.5, A), (0.2, B)))
    found = combined((1, ours), (-1, theirs))
    assert found.evidence.value == pytest.approx(0.3)
    assert found.evidence.standard_error == pytest.approx(np.std(A - B, ddof=1) / np.sqrt(50))


def test_shares_of_the_same_samples_keep_an_error_where_all_agree() -> None:
    """Bonett and Price 2012, eq. 3, from the counts of samples where only one is right."""
    a, b = np.repeat([1.0, 0.0], [8, 32]), np.repeat([0.0, 1.0, 0.0], [6, 4, 30])
    found = combined((1, of_samples(a, Family.PROPORTION)), (-1, of_samples(b, Family.PROPORTION)))
    only_a, only_b = (((a == 1) & (b == 0)).sum() + 1) / 42, (((a == 0) & (b == 1)).sum() + 1) / 42
    half = 1.96 * np.sqrt((only_a + only_b - (only_a - only_b) ** 2) / 42)
    low, high = found.evidence.interval(0.95)
    assert found.evidence.value == pytest.approx(0.1)
    assert ((low + high) / 2, (high - low) / 2) == pytest.approx((only_a - only_b, half), rel=0.05)
    assert combined(
        (1, of_samples(a, Family.PROPORTION)), (-1, of_samples(a, Family.PROPORTION))
    ).evidence.standard_error


def frechet(value: float, replicates: Any, **fields: Any) -> Measurement:
    return measurement(Family.FRECHET, value, replicates=replicates, group_sizes=[5] * len(replicates), **fields)


def test_values_with_groups_left_out_are_jackknifed_together() -> None:
    values, left_out = (3.0, 2.0, 2.5, 1.8), rng.normal(size=(4, 20)) + 2
    cells = [frechet(value, replicates) for value, replicates in zip(values, left_out, strict=True)]
    found = combined(*zip((1, -1, -1, 1), cells, strict=True))
    expected = jackknife(0.3, np.array([1, -1, -1, 1]) @ left_out, np.full(20, 5))
    assert (found.evidence.value, found.evidence.standard_error) == pytest.approx(expected[:2])


@pytest.mark.parametrize(
    "other",
    [
        frechet(1.0, np.ones(20), ids=np.arange(1, 101)),
        frechet(1.0, np.ones(10)),
        frechet(1.0, np.ones(20), protocol={"shared_noise": 10}),
    ],
)
def test_other_groups_do_not_belong_together(other: Measurement) -> None:
    with pytest.raises(Incomparable, match="groups of samples do not belong together"):
        combined((1, frechet(1.0, np.ones(20))), (-1, other))


def test_what_slices_may_differ_in_and_what_not() -> None:
    base = of_samples(A, protocol={"n": 50, "k": 5, "against_fingerprint": "x"})
    slice_of_it = of_samples(A[:10], protocol={"n": 10, "k": 5, "against_fingerprint": "y"})
    assert combined((1, slice_of_it), (-1, base)).evidence.value == pytest.approx(A[:10].mean() - A.mean())
    with pytest.raises(Incomparable, match="k is 3 and 5"):
        combined((1, of_samples(A, protocol={"k": 3})), (-1, base))
    judged = {"n": 10, "reference_fingerprint": "r"}
    with pytest.raises(Incomparable, match="n is 10 and 50"):
        combined((1, of_samples(A[:10], protocol=judged)), (-1, of_samples(A, protocol={**judged, "n": 50})))


def test_groups_that_share_their_noise_are_no_samples() -> None:
    """Their numbers 0, 1, 2, ... are not those of samples 0, 1, 2, ..."""
    shared = of_samples(B, protocol={"shared_noise": 10})
    found = combined((1, shared), (-1, of_samples(A)))
    assert not found.paired
    assert two_sided(found.evidence, 0.0) == pytest.approx(ttest_ind(B, A, equal_var=False).pvalue)


def test_a_share_by_noise_is_a_mean_and_comparable_with_a_share_of_samples() -> None:
    right = (A > 1).astype(float)
    means = of_samples(
        right.reshape(5, 10).mean(axis=1),
        protocol={"shared_noise": 10},
        name="class_accuracy",
        metric="class_accuracy",
        unit="",
    )
    found = combined((1, means), (-1, of_samples(right, Family.PROPORTION)))
    assert found.evidence.value == pytest.approx(0)
    assert found.evidence.standard_error


def test_too_few_samples() -> None:
    with pytest.raises(TooFew, match="needs 2 values by sample, has 1"):
        combined((1, of_samples(A)), (-1, of_samples(A[:1])))
    with pytest.raises(TooFew, match="has a single sample"):
        combined((1, of_samples(A)), (-1, of_samples(A[:-1])))


def test_timings_have_no_difference_of_differences() -> None:
    timed = measurement(Family.LATENCY, 1.0, replicates=np.ones(12))
    with pytest.raises(Incomparable, match="latency_p50 has no difference of differences"):
        combined((1, timed), (-1, timed))


@pytest.mark.parametrize("shares", [False, True])
def test_intervals_of_differences_of_differences_cover(shares: bool) -> None:
    """The truth is 0.1 in all repetitions: the slice costs the student 0.1 more than its teacher."""
    draw = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        common = draw.normal(size=120)
        levels = (0.4, 0.2, 0.3, 0.2)
        values = [level + common + 0.5 * draw.normal(size=120) for level in levels]
        if shares:
            uniform = draw.uniform(size=120)
            values = [((uniform + draw.uniform(size=120)) / 2 < _quantile(level)).astype(float) for level in levels]
        family = Family.PROPORTION if shares else Family.MEAN
        cells = [of_samples(one, family) for one in values]
        low, high = combined(*zip((1, -1, -1, 1), cells, strict=True)).evidence.interval(0.95)
        covered += low <= 0.1 <= high
    assert 0.92 <= covered / 400 <= 0.98


def _quantile(level: float) -> float:
    """Below which the mean of two uniform numbers lies with this probability, up to a half."""
    return float(np.sqrt(level / 2))
