import numpy as np
import pytest

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.feature_distance import FeatureDistance
from tests.metrics.inputs import clouds, feature_pair_inputs


def distances(a, b):
    return FeatureDistance().compute(feature_pair_inputs(np.array(a, np.float32), np.array(b, np.float32)))[""]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [([1, 2], [2, 4], 0), ([1, 0], [0, 3], 1), ([1, 1], [-1, -1], 2), ([0, 0], [0, 0], 0), ([0, 0], [1, 0], 1)],
)
def test_closed_forms(a, b, expected):
    assert distances([a], [b]).value == pytest.approx(expected)


def test_it_is_one_minus_the_cosine_of_each_pair():
    a, b = clouds(50, m=50)
    found = distances(a, b)
    cosines = [np.dot(x, y) / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(found.per_sample, 1 - np.array(cosines), atol=1e-6)
    assert found.value == pytest.approx(found.per_sample.mean())


def test_small_distances_keep_their_digits():
    near = distances([[1.0, 0.0]], [[1.0, 1e-5]])
    assert near.value == pytest.approx(5e-11, rel=1e-4)


def test_sides_must_belong_together():
    with pytest.raises(Failed, match=r"\(2, 3\) and \(2, 4\)"):
        distances(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(Skipped, match="pairs"):
        distances(np.ones((0, 3)), np.ones((0, 3)))
    with pytest.raises(Failed, match="NaN or infinite"):
        distances([[np.nan, 1]], [[1, 1]])
