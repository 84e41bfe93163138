"""Balls and nearest samples, against brute force, for inputs that mislead fast products."""

import numpy as np
import pytest
from prdc import compute_prdc

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics import _distances, _neighbours
from evalsuite.metrics._neighbours import Neighbourhood
from evalsuite.metrics.authenticity import Authenticity
from evalsuite.metrics.coverage import Coverage
from evalsuite.metrics.density import Density
from evalsuite.metrics.precision import Precision
from evalsuite.metrics.recall import Recall
from tests.metrics.inputs import clouds, feature_inputs

ALL = (Precision, Recall, Density, Coverage, Authenticity)


def neighbourhood(generated, reference, k=5, groups=None):
    """Computed anew; ``_balls`` is made to forget by the fixture below."""
    groups = np.arange(len(generated)) % 20 if groups is None else groups
    sets = (np.ascontiguousarray(side, np.float32) for side in (generated, reference))
    return _neighbours.neighbourhood.__wrapped__(*sets, k, groups)


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch, request):
    if "once" not in request.node.name:
        monkeypatch.setattr(_neighbours, "_balls", _neighbours._balls.__wrapped__)


def by_brute_force(generated, reference, k, groups):
    """From all exact distances at once."""
    generated, reference = (np.asarray(side, np.float32).astype(np.float64) for side in (generated, reference))

    def squared(a, b):
        return ((a[:, None] - b) ** 2).sum(axis=2)

    def radii(points):
        apart = squared(points, points)
        np.fill_diagonal(apart, np.inf)
        return np.sort(apart, axis=1)[:, k - 1], apart.min(axis=1)

    def shares(kept):
        some = generated[kept]
        across = squared(some, reference)
        return (across <= radii(some)[0][:, None]).any(axis=0).mean(), (across <= theirs).any(axis=0).mean()

    theirs, lonely = radii(reference)
    across = squared(generated, reference)
    names, sizes = np.unique(groups, return_counts=True)
    left_out = names if len(names) > 1 else []
    recalled, covered = zip(
        *(shares(kept) for kept in [groups == groups, *(groups != g for g in left_out)]), strict=True
    )
    return Neighbourhood(
        balls=(across <= theirs).sum(axis=1),
        authentic=across.min(axis=1) > lonely[across.argmin(axis=1)],
        recalled=np.array(recalled),
        covered=np.array(covered),
        group_sizes=sizes if len(names) > 1 else sizes[:0],
    )


def collapsed(n, spread, seed):
    """Samples in four tight heaps that are far apart."""
    random = np.random.default_rng(seed)
    heaps = np.random.default_rng(5).normal(size=(4, 12))
    return heaps[random.integers(0, 4, n)] + spread * random.normal(size=(n, 12))


def overlapping():
    generated, reference = clouds(120, 110, 6)
    generated[::3] = reference[: len(generated[::3])]
    generated[1::6] = generated[0]
    return generated, reference


SETS = {
    "normal": lambda: clouds(130, 110, 5, shift=0.4),
    "far from 0": lambda: [1e4 + side for side in clouds(130, 110, 5, shift=0.4)],
    "an outlier": lambda: [np.vstack([side, np.full(5, 1e7)]) for side in clouds(130, 110, 5, shift=0.4)],
    "tight heaps": lambda: (collapsed(130, 1e-6, 0), collapsed(110, 1e-6, 1)),
    "one heap against a cloud": lambda: (1e-5 * clouds(130, 110, 5)[0], clouds(130, 110, 5)[1]),
    "copies": overlapping,
    "a set and itself": lambda: (clouds(110)[1], clouds(110)[1]),
    "all the same": lambda: (np.full((90, 3), 7.0), np.full((60, 3), 7.0)),
    "all 0": lambda: (np.zeros((60, 3)), np.zeros((60, 3))),
    "whole numbers": lambda: [side.round() for side in clouds(130, 110, 2)],
    "huge": lambda: [1e37 * side for side in clouds(130, 110, 5)],
    "tiny": lambda: [1e-30 * side for side in clouds(130, 110, 5)],
}


@pytest.mark.parametrize("block", [1024, 32])
@pytest.mark.parametrize("name", SETS)
def test_agrees_with_brute_force(name, block, monkeypatch):
    monkeypatch.setattr(_neighbours, "BLOCK", block)
    generated, reference = SETS[name]()
    for groups in (np.arange(len(generated)) % 13, np.sort(np.arange(len(generated)) % 7), np.zeros(len(generated))):
        groups = groups.astype(np.int64)
        found, expected = (f(generated, reference, 5, groups) for f in (neighbourhood, by_brute_force))
        for field in ("balls", "recalled", "covered", "group_sizes"):
            np.testing.assert_array_equal(getattr(found, field), getattr(expected, field), err_msg=field)
        if name != "whole numbers":  # where argmin takes the first of several
            np.testing.assert_array_equal(found.authentic, expected.authentic)


def test_settled_by_double_precision_and_by_exact_distances(monkeypatch):
    """Nothing but the cost depends on how much the products settle."""
    generated, reference = overlapping()
    expected = neighbourhood(generated, reference)
    for name, value in (("MOST_DOUBT", 0), ("MOST_DOUBT", 1), ("GATHERED", 1)):
        monkeypatch.setattr(_distances, name, value)
        found = neighbourhood(generated, reference)
        np.testing.assert_array_equal(found.balls, expected.balls)
        np.testing.assert_array_equal(found.recalled, expected.recalled)


def test_agrees_with_prdc():
    """Which takes spheres without their surface, so on data without ties."""
    generated, reference = (side.astype(np.float32) for side in clouds(220, 250, 8, shift=0.3, scale=0.9))
    expected = compute_prdc(reference, generated, 5)
    inputs = feature_inputs(generated, reference)
    for metric in (Precision, Recall, Density, Coverage):
        assert metric().compute(inputs)[""].value == pytest.approx(expected[metric.__name__.lower()], rel=1e-12)


def test_ties_by_hand():
    reference, generated = np.arange(8.0)[:, None], np.array([[-1.0], [3.0], [8.5]])
    # k = 1: every ball reaches exactly to the next whole number.
    inputs = feature_inputs(generated, reference, groups=np.zeros(3, np.int64))
    assert Density(k=1).compute(inputs)[""].per_sample.tolist() == [1, 3, 0]
    assert Precision(k=1).compute(inputs)[""].per_sample.tolist() == [1, 1, 0]
    assert Coverage(k=1).compute(inputs)[""].value == 4 / 8  # 0 by -1, and 2, 3, 4 by 3
    # -1 is as far from 0 as 0 from 1, and no farther; 3 is a copy.
    assert Authenticity().compute(inputs)[""].per_sample.tolist() == [0, 0, 1]


def test_a_set_against_itself():
    """Every sample is in its own ball and, as a surface counts, in those of all whose k-th neighbour it is."""
    reference = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
    inputs = feature_inputs(reference, reference)
    assert Density().compute(inputs)[""].value == pytest.approx(6 / 5, rel=1e-12)
    assert [metric().compute(inputs)[""].value for metric in (Precision, Recall, Coverage)] == [1, 1, 1]
    assert Authenticity().compute(inputs)[""].value == 0


def test_authenticity_falls_by_the_share_of_copies():
    generated, reference = np.random.default_rng(0).normal(size=(2, 2000, 3))
    fresh = Authenticity().compute(feature_inputs(generated, reference))[""].per_sample
    generated[:1000] = reference[:1000] + 1e-4
    copied = Authenticity().compute(feature_inputs(generated, reference))[""].per_sample
    assert 0.3 < fresh.mean() < 0.7
    assert copied[:1000].mean() < 0.01
    np.testing.assert_array_equal(copied[1000:], fresh[1000:])


def test_coverage_is_not_raised_by_an_outlier_as_recall_is():
    generated, reference = 0.05 * clouds(100)[0], clouds(100)[1]
    generated[::10] = 20 * clouds(100)[0][::10]
    inputs = feature_inputs(generated, reference)
    assert Recall().compute(inputs)[""].value > 0.9
    assert Coverage().compute(inputs)[""].value < 0.3


def test_distances_are_computed_once_for_all_metrics(monkeypatch):
    inputs = feature_inputs(*clouds(60, 70, 4, seed=31))
    first = [metric().compute(inputs)[""].value for metric in ALL]
    monkeypatch.setattr(_neighbours, "Block", None)
    assert [metric().compute(inputs)[""].value for metric in ALL] == first


@pytest.mark.parametrize("metric", ALL)
def test_bad_input(metric):
    generated, reference = clouds(30, 30)
    with pytest.raises(Skipped, match=r"needs at least \d+ generated samples, has 0"):
        metric().compute(feature_inputs(generated[:0], reference))
    with pytest.raises(Skipped, match=r"needs at least \d+ reference samples, has 0"):
        metric().compute(feature_inputs(generated, reference[:0]))
    with pytest.raises(Failed, match="3 dimensions and those of the reference 4"):
        metric().compute(feature_inputs(generated[:, :3], reference))
    generated[4, 1] = np.inf
    with pytest.raises(Failed, match="1 of 30 generated"):
        metric().compute(feature_inputs(generated, reference))
