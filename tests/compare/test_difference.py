"""Differences family by family: values, pairing, refusals, coverage."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from evalsuite.compare.contrast import DEBIASED_NOTE, SESSIONS_NOTE, Common
from evalsuite.compare.difference import difference
from evalsuite.records import Family
from evalsuite.stats.jackknife import jackknife
from evalsuite.stats.signed_rank import hodges_lehmann
from tests.compare.inputs import measurement, missing, of_groups, of_processes, of_rounds, of_samples

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(20, 3, 80), RANDOM.normal(21, 3, 80)


def ends(comparison):
    return comparison.interval.low, comparison.interval.high


class TestMeans:
    def test_paired_by_sample(self):
        found = difference(of_samples(A), of_samples(B))
        expected = stats.ttest_rel(A, B)
        assert found.p_value == pytest.approx(expected.pvalue)
        assert ends(found) == pytest.approx(tuple(expected.confidence_interval(0.95)))
        assert (found.paired, found.n, found.degrees_of_freedom, found.better) == (True, 80, 79, None)

    def test_other_samples_are_compared_by_welch(self):
        found = difference(of_samples(A), of_samples(B[:50]))
        expected = stats.ttest_ind(A, B[:50], equal_var=False)
        assert found.p_value == pytest.approx(expected.pvalue)
        assert ends(found) == pytest.approx(tuple(expected.confidence_interval(0.95)))
        assert (found.paired, "unpaired" in found.note) == (False, True)

    @pytest.mark.parametrize("common", [Common.NOTHING])
    def test_equal_ids_of_other_seeds_are_no_pairs(self, common):
        assert not difference(of_samples(A), of_samples(B), common=common).paired

    def test_samples_without_ids_are_no_pairs(self):
        without = of_samples(B).model_copy(update={"sample_ids": None})
        assert not difference(of_samples(A), without).paired

    @pytest.mark.parametrize(("higher", "better"), [(True, True), (False, False), (None, None)])
    def test_better_follows_the_direction(self, higher, better):
        cells = [of_samples(values, higher_is_better=higher) for values in (A + 1 + B / 1000, A)]
        assert difference(*cells).better is better

    def test_swapping_the_sides_mirrors_everything(self):
        one, other = difference(of_samples(A), of_samples(B)), difference(of_samples(B), of_samples(A))
        assert one.value == -other.value
        assert ends(one) == pytest.approx((-ends(other)[1], -ends(other)[0]))
        assert one.p_value == pytest.approx(other.p_value)

    def test_coverage(self):
        random, covered = np.random.default_rng(1), 0
        for _ in range(400):
            shared = random.normal(size=40)
            sides = (shared + random.normal(0.3, 1, 40), shared + random.normal(0, 0.5, 40))
            low, high = ends(difference(*map(of_samples, sides)))
            covered += low <= 0.3 <= high
        assert 0.92 <= covered / 400 <= 0.975


class TestProportions:
    RIGHT = (np.arange(50) < 42).astype(float)
    LESS = (np.arange(50) < 32).astype(float)

    def of(self, values):
        return of_samples(values, Family.PROPORTION)

    def test_tangos_interval_as_published(self):
        """Fagerland, Lydersen and Laake 2014: 1 and 7 discordant of 21 give -0.286 (-0.517 to -0.026)."""
        a = np.repeat([1.0, 0, 1, 0], [1, 7, 1, 12])
        b = np.repeat([0.0, 1, 1, 0], [1, 7, 1, 12])
        found = difference(self.of(a), self.of(b))
        assert (found.value, *ends(found)) == pytest.approx((-6 / 21, -0.517, -0.026), abs=5e-4)
        assert found.p_value == pytest.approx(2 * stats.norm.sf(6 / np.sqrt(8)))

    def test_unpaired(self):
        found = difference(self.of(self.RIGHT), self.of(self.LESS), common=Common.NOTHING)
        assert found.value == pytest.approx(0.2)
        assert not found.paired
        assert ends(found)[0] < 0.2 < ends(found)[1]

    def test_all_right_twice_is_no_proof_of_equality(self):
        found = difference(self.of(np.ones(50)), self.of(np.ones(50)))
        assert found.value == 0
        assert found.p_value == 1
        assert ends(found)[1] > 0.05
        assert found.minimum_detectable_effect > 0.05


class TestGroups:
    @staticmethod
    def distance(x):
        """Fréchet distance of scalars to N(0, 1); its bias depends on the spread of x."""
        return float(x.mean() ** 2 + (x.std(ddof=1) - 1) ** 2)

    def test_frechet_is_bias_corrected_and_says_so(self):
        student, teacher = of_groups(self.distance, A / 10), of_groups(self.distance, B / 10)
        found = difference(student, teacher)
        plain = student.value - teacher.value
        expected = jackknife(plain, student.replicates - teacher.replicates, student.group_sizes)
        assert found.value == expected.value != plain
        assert found.standard_error == expected.standard_error
        assert found.note == DEBIASED_NOTE
        assert (found.paired, found.degrees_of_freedom) == (True, 19)

    @pytest.mark.parametrize("family", [Family.FRECHET_DEBIASED, Family.JACKKNIFE])
    def test_others_keep_the_difference_of_their_values(self, family):
        student, teacher = (of_groups(self.distance, x / 10, family) for x in (A, B))
        found = difference(student, teacher)
        assert found.value == student.value - teacher.value
        assert (
            found.standard_error
            == difference(*(m.model_copy(update={"family": Family.FRECHET}) for m in (student, teacher))).standard_error
        )

    def test_debiased_values_differ_by_the_corrected_difference_of_plain_ones(self):
        plain = [of_groups(self.distance, x / 10) for x in (A, B)]
        corrected = [
            measurement(
                Family.FRECHET_DEBIASED,
                value := jackknife(m.value, m.replicates, m.group_sizes).value,
                replicates=m.replicates + value - m.value,
                group_sizes=m.group_sizes,
            )
            for m in plain
        ]
        assert difference(*corrected).value == pytest.approx(difference(*plain).value)
        assert ends(difference(*corrected)) == pytest.approx(ends(difference(*plain)))

    def test_other_samples_are_compared_side_by_side(self):
        student, teacher = of_groups(self.distance, A / 10), of_groups(self.distance, B / 10)
        sides = [jackknife(m.value, m.replicates, m.group_sizes) for m in (student, teacher)]
        found = difference(student, teacher, common=Common.NOTHING)
        assert found.value == pytest.approx(sides[0].value - sides[1].value)
        assert found.standard_error == pytest.approx(np.hypot(*(side.standard_error for side in sides)))
        assert 19 <= found.degrees_of_freedom <= 38
        assert not found.paired

    def test_unequal_n_is_refused_for_nearest_neighbours(self):
        found = difference(*(of_groups(self.distance, x, Family.JACKKNIFE) for x in (A, B[:60])))
        assert "n is 80 and 60" in found.incomparable

    def test_too_few_groups(self):
        few = measurement(Family.FRECHET, 3.0, replicates=np.ones(9), group_sizes=[8] * 9)
        assert "10 groups of samples, has 9" in difference(few, few).incomparable

    def test_coverage_of_corrected_differences(self):
        """Student N(0, 1.5^2), teacher N(0.2, 1.1^2) on common noise: 0.25 - 0.05 apart, and biased unequally."""
        random, covered, plain_covered = np.random.default_rng(4), 0, 0
        for _ in range(300):
            noise = random.normal(size=120)
            student, teacher = of_groups(self.distance, 1.5 * noise), of_groups(self.distance, 0.2 + 1.1 * noise)
            low, high = ends(difference(student, teacher))
            covered += low <= 0.20 <= high
            plain_covered += low <= student.value - teacher.value <= high
        assert 0.90 <= covered / 300 <= 0.985


class TestKernelDistance:
    def test_identical_samples_differ_by_exactly_nothing(self):
        one = measurement(Family.MMD, 0.1, per_sample=A)
        other = measurement(Family.MMD, 0.1 + 1e-15, per_sample=A.astype(np.float32))
        found = difference(one, other)
        assert (found.value, found.p_value, *ends(found)) == (0, 1, 0, 0)

    def test_the_value_is_that_of_the_statistics_and_the_error_that_of_the_projections(self):
        found = difference(measurement(Family.MMD, 0.3, per_sample=A), measurement(Family.MMD, 0.1, per_sample=B))
        assert found.value == pytest.approx(0.2)
        assert found.standard_error == pytest.approx((A - B).std(ddof=1) / np.sqrt(80))

    def test_coverage(self):
        """Linear kernel, reference at 0: the value estimates the squared mean, 0.25 - 0.09."""
        random, covered = np.random.default_rng(6), 0
        for _ in range(400):
            noise = random.normal(size=100)
            sides = []
            for shift in (0.5, 0.3):
                x = noise + shift
                within = (x.sum() - x) / 99 * x
                sides.append(measurement(Family.MMD, float(within.mean()), per_sample=2 * within))
            low, high = ends(difference(*sides))
            covered += low <= 0.16 <= high
        assert 0.92 <= covered / 400 <= 0.98


class TestTimings:
    ROUNDS = RANDOM.lognormal(-3, 0.2, 12)
    JITTER = np.exp(RANDOM.normal(0, 0.02, 12))

    def test_rounds_timed_in_turn_give_a_ratio(self):
        found = difference(of_rounds(0.25 * self.ROUNDS * self.JITTER), of_rounds(self.ROUNDS))
        centre = hodges_lehmann(np.log(0.25 * self.JITTER))
        assert (found.value, *ends(found)) == pytest.approx(tuple(np.exp(centre)))
        assert (found.scale, found.unit, found.paired, found.n, found.better) == ("ratio", "", True, 12, True)
        assert found.p_value == pytest.approx(2 / 2**12)
        assert 1 < found.minimum_detectable_effect < 1.05

    def test_throughput_is_better_when_higher(self):
        cells = [of_rounds(r, name="throughput", higher_is_better=True) for r in (2 * self.ROUNDS, self.ROUNDS)]
        assert difference(*cells).better is True

    def test_rounds_of_other_sessions_are_no_pairs(self):
        found = difference(of_rounds(2 * self.ROUNDS), of_rounds(self.ROUNDS), common=Common.SEEDS)
        expected = stats.ttest_ind(np.log(2 * self.ROUNDS), np.log(self.ROUNDS), equal_var=False)
        assert found.value == pytest.approx(2)
        assert found.p_value == pytest.approx(expected.pvalue)
        assert (found.paired, found.note) == (False, SESSIONS_NOTE)

    def test_invalid_timings_have_a_ratio_and_are_not_judged(self):
        found = difference(of_rounds(2 * self.ROUNDS, invalid="10 rounds"), of_rounds(self.ROUNDS))
        assert (found.value, found.better) == (pytest.approx(2), None)
        assert found.invalid.endswith("is INVALID: 10 rounds")

    def test_too_few_rounds(self):
        assert "it needs 6 rounds, has 3" in difference(*[of_rounds(self.ROUNDS[:3])] * 2).incomparable

    @pytest.mark.parametrize(
        ("peaks", "better"), [([90] * 3, True), ([99, 99, 99], None), ([90, 99, 101], None), ([110] * 3, False)]
    )
    def test_memory_has_a_tolerance_and_no_p_value(self, peaks, better):
        megabytes = 2**20
        found = difference(of_processes(np.array(peaks) * megabytes), of_processes(np.full(3, 100) * megabytes))
        assert (found.p_value, found.minimum_detectable_effect, found.better) == (None, None, better)
        assert found.value == np.median(peaks) / 100
        assert "no p-value: equal within 2 %" in found.note

    def test_small_peaks_are_equal_within_a_mebibyte(self):
        found = difference(of_processes(np.full(3, 2.9e6)), of_processes(np.full(3, 2e6)))
        assert found.better is None

    def test_between_targets_of_a_run_what_belongs_to_the_target_may_differ(self):
        cells = [
            of_rounds(rounds, target=target, protocol={"environment.dtype": dtype, "warmups": 3})
            for rounds, target, dtype in ((self.ROUNDS / 2, "int8", "int8"), (self.ROUNDS, "cpu", "float32"))
        ]
        assert difference(*cells).value == pytest.approx(0.5)
        assert "environment.dtype" in difference(*cells, common=Common.SEEDS).incomparable
        assert "warmups is 4 and 3" in difference(
            cells[0].model_copy(update={"protocol": {"warmups": 4}}), cells[1]
        ).incomparable  # fmt: skip


class TestRefusals:
    def test_the_differing_field_is_named_with_both_values(self):
        found = difference(of_samples(A, protocol={"k": 5, "n": 80}), of_samples(B, protocol={"k": 3, "n": 80}))
        assert found.incomparable == "measured by different protocols: k is 5 and 3"
        assert (found.value, found.interval, found.p_value, found.better) == (None, None, None, None)

    def test_a_field_that_only_one_side_has(self):
        assert "k is none and 3" in difference(of_samples(A), of_samples(B, protocol={"k": 3})).incomparable

    def test_different_extractors(self):
        found = difference(of_samples(A, extractor="pixels"), of_samples(B, extractor="fashion-cnn"))
        assert "extractor is pixels and fashion-cnn" in found.incomparable

    def test_missing_sides(self):
        found = difference(missing("psnr"), of_samples(B, model="teacher"))
        assert found.incomparable == "no value of student@cpu/all (failed): it crashed"
        assert [term.coefficient for term in found.terms] == [1, -1]


def test_a_comparison_of_proportions_is_json() -> None:
    """Their error follows from a normal approximation, and JSON has no infinity."""
    values = np.tile([0.0, 1.0], 20)
    found = difference(of_samples(values, Family.PROPORTION), of_samples(1 - values, Family.PROPORTION))
    assert found.degrees_of_freedom is None
    assert json.loads(json.dumps(found.model_dump(mode="json"), allow_nan=False))
