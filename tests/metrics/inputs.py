"""Small inputs of each kind for the tests of metrics."""

import numpy as np

from evalsuite.metrics.contract import FeatureInputs, FeaturePairInputs, PairInputs, TimingInputs
from evalsuite.pairing import groups_of
from evalsuite.records import FeatureSet, Moments, Timings

NUM_CLASSES = 4


def feature_set(features, logits=None, labels=None, ids=None):
    ids = np.arange(len(features)) if ids is None else ids
    return FeatureSet("test", "fingerprint", "none", ids, np.asarray(features, np.float32), logits, labels)


def feature_inputs(generated, reference, logits=None, labels=None, groups=None, whole=True):
    groups = groups_of(np.arange(len(generated)), 1) if groups is None else groups
    return FeatureInputs(feature_set(generated, logits, labels), feature_set(reference), groups, whole)


def moments(features, n=None):
    """What a statistics file keeps of features."""
    exact = np.asarray(features, np.float32).astype(np.float64)
    return Moments("test", "fingerprint", "none", exact.mean(axis=0), np.cov(exact, rowvar=False), n)


def clouds(n=240, m=300, dim=4, shift=0.0, scale=1.0, seed=0):
    """Normal samples around ``shift`` against a standard normal reference, both of ``dim`` features."""
    rng = np.random.default_rng(seed)
    return shift + scale * rng.normal(size=(n, dim)), np.random.default_rng(99).normal(size=(m, dim))


def with_moments(n, mean, covariance, seed=0):
    """n samples whose mean and covariance (divisor n - 1) are exactly these."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    x -= x.mean(axis=0)
    x = np.linalg.solve(np.linalg.cholesky(np.cov(x, rowvar=False)), x.T).T
    return x @ np.linalg.cholesky(np.asarray(covariance)).T + mean


def images(n=6, size=28, channels=1, seed=0):
    """Smooth random pictures, uint8 ``[n, channels, size, size]``."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(30, 225, (n, channels, -(-size // 4), -(-size // 4)))
    return coarse.repeat(4, axis=2).repeat(4, axis=3)[..., :size, :size].astype(np.uint8)


def noisy(pictures, sigma, seed=1):
    noise = np.random.default_rng(seed).normal(0, sigma, pictures.shape)
    return (pictures + noise).round().clip(0, 255).astype(np.uint8)


def feature_pair_inputs(a, b):
    return FeaturePairInputs(feature_set(a), feature_set(b))


def pair_inputs(a, b):
    return PairInputs(np.arange(len(a)), a, b)


def timing_inputs(values, scenario="single_stream", batch_size=1, valid=True, reason="", series=""):
    unit = "bytes" if scenario.endswith("memory") else "s"
    return TimingInputs(
        (Timings(case_key="m@cpu/all", scenario=scenario, series=series, batch_size=batch_size, unit=unit, warmups=2,
                 values=values, environment={"threads": 2}, valid=valid, reason=reason),)
    )  # fmt: skip
