import numpy as np
import pytest

from evalsuite.errors import Skipped
from evalsuite.metrics.class_accuracy import ClassAccuracy
from tests.metrics.inputs import feature_inputs

FEATURES = np.zeros((4, 2))
LOGITS = np.array([[3, 1, 0], [0, 2, 1], [5, 0, 1], [0, 0, 9]], np.float32)


def test_by_hand():
    inputs = feature_inputs(FEATURES, FEATURES, LOGITS, np.array([0, 1, 2, 2]))
    estimate = ClassAccuracy().compute(inputs)[""]
    assert estimate.per_sample.tolist() == [1, 1, 0, 1]
    assert estimate.value == 0.75


def test_without_classes_or_scores_it_is_skipped():
    with pytest.raises(Skipped, match="without a class"):
        ClassAccuracy().compute(feature_inputs(FEATURES, FEATURES, LOGITS))
    with pytest.raises(Skipped, match="no class scores"):
        ClassAccuracy().compute(feature_inputs(FEATURES, FEATURES, labels=np.zeros(4, np.int64)))
