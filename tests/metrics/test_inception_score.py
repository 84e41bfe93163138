import numpy as np
import pytest

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.inception_score import InceptionScore
from tests.metrics.inputs import feature_inputs


def score(logits, **more):
    logits = np.asarray(logits, np.float32)
    return InceptionScore().compute(feature_inputs(np.zeros((len(logits), 1)), np.zeros((2, 1)), logits, **more))[""]


def test_the_mean_divergence_by_hand():
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    divergences = (p * np.log(p / p.mean(axis=0))).sum(axis=1)
    assert score(np.log(p)).value == pytest.approx(np.exp(divergences.mean()), rel=1e-6)


def test_its_range():
    assert score(np.zeros((20, 5))).value == pytest.approx(1)
    assert score(200 * np.eye(5)[np.arange(20) % 5]).value == pytest.approx(5)
    assert score(200 * np.eye(5)[np.zeros(20, int)]).value == pytest.approx(1)


def test_replicates_are_the_score_without_a_group():
    logits = np.random.default_rng(0).normal(size=(50, 4)) * 2
    groups = np.random.default_rng(1).integers(0, 5, 50)
    expected = [score(logits[groups != g]).value for g in range(5)]
    np.testing.assert_allclose(score(logits, groups=groups).replicates, expected)


def test_without_scores_it_is_skipped_and_nan_fails():
    with pytest.raises(Skipped, match="no class scores"):
        InceptionScore().compute(feature_inputs(np.zeros((3, 1)), np.zeros((3, 1))))
    with pytest.raises(Failed, match="class scores"):
        score([[0, np.nan]])
