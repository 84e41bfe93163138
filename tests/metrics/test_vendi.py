import numpy as np
import pytest

from evalsuite.metrics.vendi import Vendi
from tests.metrics.inputs import clouds, feature_inputs


def vendi(features, **fields):
    return Vendi().compute(feature_inputs(features, np.zeros((2, np.shape(features)[1])), **fields))[""]


def by_definition(features):
    """exp of the entropy of the eigenvalues of the kernel matrix, as the paper writes it."""
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    p = np.linalg.eigvalsh(directions @ directions.T / len(features))
    p = p[p > 1e-12]
    return np.exp(-(p * np.log(p)).sum())


@pytest.mark.parametrize(("n", "dim"), [(240, 4), (60, 60), (60, 100)])
def test_it_is_the_papers_definition_with_each_group_left_out(n, dim):
    features = clouds(n, dim=dim)[0].astype(np.float32).astype(float)
    groups = np.arange(n) % 20
    found = vendi(features, groups=groups)
    assert found.value == pytest.approx(by_definition(features), rel=1e-6)
    expected = [by_definition(features[groups != g]) for g in range(20)]
    np.testing.assert_allclose(found.replicates, expected, rtol=1e-6)


@pytest.mark.parametrize("distinct", [1, 3, 8])
def test_it_counts_orthogonal_things(distinct):
    assert vendi(np.eye(8)[np.arange(240) % distinct]).value == pytest.approx(distinct)


def test_length_does_not_matter_and_zeros_are_like_themselves_alone():
    features = np.eye(4)[np.arange(40) % 2]
    assert vendi(features * np.arange(1, 41)[:, None]).value == pytest.approx(2)
    assert vendi(np.zeros((3, 2)), groups=np.zeros(3, int)).value == pytest.approx(3)


def test_mode_collapse_lowers_it():
    features = clouds(200, dim=8)[0]
    assert vendi(features[np.arange(200) % 5]).value < 5 < vendi(features).value
