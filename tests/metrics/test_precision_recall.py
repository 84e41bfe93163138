import numpy as np
import pytest
import torch
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from evalsuite.errors import Skipped
from evalsuite.metrics.precision import Precision
from evalsuite.metrics.recall import Recall
from evalsuite.stats.single import interval_of
from tests.metrics.inputs import clouds, feature_inputs


def precision(generated, reference, k=5, **more):
    return Precision(k=k).compute(feature_inputs(generated, reference, **more))[""]


def recall(generated, reference, k=5, **more):
    return Recall(k=k).compute(feature_inputs(generated, reference, **more))[""]


def share_inside(points, centres, k):
    """Brute force, one pair at a time."""
    points, centres = (np.asarray(a, np.float32).astype(np.float64) for a in (points, centres))
    radii = [sorted(np.linalg.norm(c - other) for j, other in enumerate(centres) if j != i)[k - 1]
             for i, c in enumerate(centres)]  # fmt: skip
    return np.mean([any(np.linalg.norm(p - c) <= r for c, r in zip(centres, radii, strict=True)) for p in points])


def test_an_asymmetric_case_by_hand():
    reference = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    generated = np.array([[0.0], [0.1], [0.2], [0.3], [5.0]])
    # k = 1: reference balls have radius 1; 5.0 is outside. Generated balls: radius 0.1 near 0, and 4.7 around 5.0,
    # which holds 1 and 2; 0 is a generated point; 10, 11, 12 are outside.
    one_group = np.zeros(5, np.int64)
    assert precision(generated, reference, k=1, groups=one_group).per_sample.tolist() == [1, 1, 1, 1, 0]
    assert recall(generated, reference, k=1, groups=one_group).value == pytest.approx(3 / 6)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_agree_with_brute_force(k):
    generated, reference = clouds(60, 50, 3, shift=0.8, scale=0.7)
    assert precision(generated, reference, k).value == pytest.approx(share_inside(generated, reference, k))
    assert recall(generated, reference, k).value == pytest.approx(share_inside(reference, generated, k))


def test_agree_with_torch_fidelity():
    generated, reference = (a.astype(np.float32) for a in clouds(120, 150, 6, shift=0.4, scale=0.8))
    options = {"prc_neighborhood": 5, "prc_batch_size": 50, "save_cpu_ram": False, "verbose": False}
    found = prc_features_to_metric(torch.from_numpy(generated), torch.from_numpy(reference), **options)
    assert precision(generated, reference).value == pytest.approx(found[KEY_METRIC_PRECISION])
    assert recall(generated, reference).value == pytest.approx(found[KEY_METRIC_RECALL])


def test_mode_collapse_costs_recall_and_outliers_cost_precision():
    reference = clouds(m=300)[1]
    collapsed, wide = 0.05 * clouds()[0], 4 * clouds()[0]
    assert precision(collapsed, reference).value == 1
    assert recall(collapsed, reference).value < 0.2
    assert precision(wide, reference).value < 0.7
    assert recall(wide, reference).value > 0.9


def test_copies_are_inside_each_other_however_the_products_round():
    copies = np.repeat(np.random.default_rng(0).normal(size=(4, 64)) * 100, 8, axis=0)
    assert precision(copies, copies).value == recall(copies, copies).value == 1


def test_replicates_are_the_recall_without_a_group():
    generated, reference = clouds(90, 80, 3, shift=0.5)
    groups = np.random.default_rng(0).integers(0, 7, 90)
    groups[generated[:, 0] > 1] = 3  # neighbours in one group, so that radii grow where it is left out
    found = recall(generated, reference, groups=groups)
    expected = [recall(generated[groups != g], reference, groups=0 * groups[groups != g]).value for g in range(7)]
    np.testing.assert_allclose(found.replicates, expected, rtol=1e-12)
    assert len(set(expected)) > 1


def test_too_few_samples_name_the_number_they_need():
    generated, reference = clouds(30, 5)
    with pytest.raises(Skipped, match="at least 6 reference samples, has 5"):
        precision(generated, reference)
    with pytest.raises(Skipped, match="at least 8 generated samples, has 7"):
        recall(generated[:7], reference, groups=np.array([0, 0, 1, 1, 2, 3, 4]))


def test_a_precision_of_one_still_has_an_interval():
    reference = clouds(m=300)[1]
    estimate = precision(0.05 * clouds()[0], reference)
    interval = interval_of(estimate)
    assert interval.low < estimate.value == interval.high == 1
