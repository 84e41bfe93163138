from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from evalsuite.errors import Skipped
from evalsuite.metrics.diversity import Diversity
from tests.metrics.inputs import clouds, feature_inputs

LABELS = np.arange(240) % 4
GROUPS = np.arange(240) // 4 % 20


def diversity(features, labels=LABELS, groups=GROUPS):
    inputs = feature_inputs(features, np.zeros((2, features.shape[1])), groups=groups)
    return Diversity().compute(replace(inputs, asked=labels))[""]


def by_pairs(features, labels):
    return np.mean([(pdist(features[labels == c]) ** 2).mean() for c in np.unique(labels)])


def test_it_is_the_mean_over_pairs_with_each_group_left_out():
    features = (clouds()[0] * (1 + LABELS[:, None]) + 100).astype(np.float32).astype(float)
    found = diversity(features)
    assert found.value == pytest.approx(by_pairs(features, LABELS), rel=1e-9)
    expected = [by_pairs(features[g != GROUPS], LABELS[g != GROUPS]) for g in range(20)]
    np.testing.assert_allclose(found.replicates, expected, rtol=1e-9)


def test_the_distance_between_classes_does_not_count():
    features = clouds()[0]
    assert diversity(features + 50 * LABELS[:, None]).value == pytest.approx(diversity(features).value, rel=1e-5)


def test_one_picture_a_class_has_none():
    assert diversity(np.eye(4)[LABELS]).value == pytest.approx(0, abs=1e-12)


def test_classes_of_one_sample_are_left_out():
    features = clouds(5)[0]
    found = diversity(features, np.array([0, 0, 0, 0, 1]), np.zeros(5, int))
    assert found.value == pytest.approx(by_pairs(features[:4].astype(np.float32), np.zeros(4)), rel=1e-6)


@pytest.mark.parametrize(
    ("labels", "message"), [(None, "needs the class or prompt"), (np.arange(240), "at least 2 samples of a condition")]
)
def test_without_classes_of_several_samples_there_is_none(labels, message):
    with pytest.raises(Skipped, match=message):
        diversity(clouds()[0], labels)
