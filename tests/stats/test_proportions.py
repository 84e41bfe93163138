"""Score intervals against published values and independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from evalsuite.stats.evidence import PairedProportions, Proportion
from evalsuite.stats.proportions import discordant, paired_moments, tango, tango_score, unpaired_moments, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (81, 263), (999, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_wilson(successes, n, level):
    expected = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    assert wilson(successes, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_as_published():
    """Newcombe 1998, Statistics in Medicine 17:857, table I: 81 of 263 and 0 of 20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0000, 0.1611), abs=5e-5)


def maximum_likelihood_score(only_a: int, only_b: int, n: int, difference: float) -> float:
    """The score statistic with its nuisance share found by maximising the trinomial likelihood on a grid."""
    low, high = max(0.0, -difference), (1 - difference) / 2
    shares_b = np.linspace(low, high, 200_001)[1:-1]
    shares_a = shares_b + difference
    rest = 1 - shares_a - shares_b
    likelihood = only_a * np.log(shares_a) + only_b * np.log(shares_b) + (n - only_a - only_b) * np.log(rest)
    share_b = shares_b[likelihood.argmax()]
    variance = n * (2 * share_b + difference * (1 - difference))
    return (only_a - only_b - n * difference) / math.sqrt(variance)


@pytest.mark.parametrize(("only_a", "only_b", "n"), [(12, 2, 50), (3, 9, 40), (20, 30, 100)])
@pytest.mark.parametrize("difference", [-0.2, 0.05, 0.3])
def test_tangos_score_maximises_the_likelihood(only_a, only_b, n, difference):
    expected = maximum_likelihood_score(only_a, only_b, n, difference)
    assert tango_score(only_a, only_b, n, difference) == pytest.approx(expected, abs=1e-3)


def test_tangos_interval_as_published():
    """Fagerland, Lydersen and Laake 2014; and R's PropCIs: 28 against 25 discordant of 618, at 90 %."""
    assert tango(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert tango(28, 25, 618, 0.9) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


def test_adjusted_moments_as_published():
    """Agresti and Min 2005: 20 against 40 discordant of 160, by the formula (b - c) / (n + 2)."""
    a, b = np.repeat([1.0, 0, 1], [20, 40, 100]), np.repeat([0.0, 1, 1], [20, 40, 100])
    centre, error = paired_moments(a, b, 1.0)
    assert centre == pytest.approx(-20 / 162)
    assert error == pytest.approx(math.sqrt(61 - 20**2 / 162) / 162)


def test_tangos_score_at_no_difference_is_mcnemars():
    assert tango_score(12, 2, 50, 0.0) == pytest.approx((12 - 2) / math.sqrt(12 + 2))


@pytest.mark.parametrize(("only_a", "only_b", "n"), [(12, 2, 50), (0, 0, 30), (30, 0, 30), (0, 5, 9), (1, 0, 1000)])
def test_tangos_interval_inverts_the_score(only_a, only_b, n):
    low, high = tango(only_a, only_b, n)
    assert -1 <= low <= (only_a - only_b) / n <= high <= 1
    z = stats.norm.ppf(0.975)
    for end, score in ((low, z), (high, -z)):
        if abs(end) < 0.999999:
            assert tango_score(only_a, only_b, n, end) == pytest.approx(score, abs=1e-6)


def test_tangos_interval_mirrors_with_its_sides():
    low, high = tango(12, 2, 50)
    assert tango(2, 12, 50) == pytest.approx((-high, -low), abs=1e-9)


def test_no_disagreement_still_has_a_width():
    """Closed form: with no discordant pair the ends are z^2 / (n + z^2)."""
    z = stats.norm.ppf(0.975)
    assert tango(0, 0, 30) == pytest.approx((-(z**2) / (30 + z**2), z**2 / (30 + z**2)), abs=1e-6)


def test_coverage_of_paired_proportions():
    random, covered = np.random.default_rng(0), 0
    for _ in range(500):
        kind = random.choice(4, p=[0.8, 0.12, 0.04, 0.04], size=60)  # both, only a, only b, neither
        low, high = tango(int((kind == 1).sum()), int((kind == 2).sum()), 60)
        covered += low <= 0.08 <= high
    assert 0.92 <= covered / 500 <= 0.98


def test_discordant_pairs_are_told_apart():
    assert discordant(np.array([1.0, 1, 0, 0, 1]), np.array([1.0, 0, 1, 0, 0])) == (2, 1)


def test_adjusted_moments_approach_the_plain_ones():
    a = np.tile([1.0, 1, 1, 0, 0], 20_000)
    b = np.tile([1.0, 0, 1, 0, 1], 20_000)
    centre, error = paired_moments(a, b, 1.1)
    assert centre == pytest.approx(np.mean(a - 1.1 * b), abs=1e-4)
    assert error == pytest.approx(np.std(a - 1.1 * b) / np.sqrt(1e5), rel=1e-3)
    centre, error = unpaired_moments(60_000, 100_000, 50_000, 80_000, 1.1)
    assert centre == pytest.approx(0.6 - 1.1 * 0.625, abs=1e-4)
    assert error == pytest.approx(math.sqrt(0.24 / 1e5 + 1.21 * 0.625 * 0.375 / 8e4), rel=1e-3)


@pytest.mark.parametrize("evidence", [Proportion(20, 20), Proportion(0, 20), PairedProportions(0, 0, 20)])
def test_certainty_beyond_what_is_possible_only(evidence):
    assert (evidence.below(1.5), evidence.above(1.5)) == (0, 1)
    assert (evidence.below(-1.5), evidence.above(-1.5)) == (1, 0)
    assert evidence.standard_error > 0
