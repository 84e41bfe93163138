import numpy as np
import pytest

from evalsuite.errors import Failed, Skipped
from evalsuite.metrics.cmmd import Cmmd
from tests.metrics.inputs import clouds, feature_inputs


def cmmd(generated, reference):
    return Cmmd().compute(feature_inputs(generated, reference))[""]


def kernel(x, y):
    """As the paper writes it."""
    x, y = (np.asarray(a, np.float32).astype(np.float64) for a in (x, y))
    x, y = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, y))
    squares = ((x[:, None] - y) ** 2).sum(axis=2)
    return np.exp(-squares / (2 * 10**2))


def test_by_hand():
    x, y = [[3.0, 0], [0, 0.5]], [[-1.0, 0], [0, -7], [0, 1]]
    k = {angle: np.exp(-square / 200) for angle, square in {0: 0, 90: 2, 180: 4}.items()}
    within_y = (k[90] + k[90] + k[180]) / 3
    across = (k[180] + k[90] + k[90] + k[90] + k[180] + k[0]) / 6
    assert cmmd(x, y).value == pytest.approx(1000 * (k[90] + within_y - 2 * across), rel=1e-10)


def test_the_authors_value_is_this_one_plus_the_pairs_of_samples_with_themselves():
    x, y = clouds(60, 80, 8, shift=0.3)
    within = {"x": kernel(x, x), "y": kernel(y, y)}
    theirs = 1000 * (within["x"].mean() + within["y"].mean() - 2 * kernel(x, y).mean())
    unbiased = {side: (k.sum() - len(k)) / (len(k) * (len(k) - 1)) for side, k in within.items()}
    own_pairs = sum(1000 * (1 - unbiased[side]) / len(within[side]) for side in within)
    assert cmmd(x, y).value == pytest.approx(theirs - own_pairs, rel=1e-9)


def test_the_projection_is_its_definition():
    x, y = clouds(40, 60, 3, shift=0.2)
    within = kernel(x, x)
    np.fill_diagonal(within, 0)
    h = 2000 * (within.sum(axis=1) / 39 - kernel(x, y).mean(axis=1))
    found = cmmd(x, y)
    # Both kernels are written without the constant 1, which cancels.
    np.testing.assert_allclose(found.per_sample, h, atol=1e-9)
    np.testing.assert_allclose(found.influence, (h - h.mean()) / 40, atol=1e-6)


def test_the_length_of_features_does_not_count():
    x, y = clouds(shift=0.4)
    lengths = np.random.default_rng(0).uniform(0.5, 20, (len(x), 1))
    assert cmmd(x * lengths, y * 3).value == pytest.approx(cmmd(x, y).value, rel=1e-5)


def test_equal_distributions_come_out_around_zero():
    values = [
        cmmd(clouds(100, dim=6, seed=seed)[0], clouds(100, dim=6, seed=1000 + seed)[0]).value for seed in range(60)
    ]
    assert np.mean(values) == pytest.approx(0, abs=3 * np.std(values) / np.sqrt(60))
    assert min(values) < 0 < max(values)


def test_what_has_no_direction_fails_and_a_single_sample_is_skipped():
    x, y = clouds()
    with pytest.raises(Skipped, match="at least 2"):
        cmmd(x[:1], y)
    x[[3, 5]] = 0
    with pytest.raises(Failed, match="2 of 240 images are 0"):
        cmmd(x, y)
