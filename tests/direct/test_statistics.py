"""Mean and covariance of features, kept in files."""

from dataclasses import replace

import numpy as np
import pytest

from evalsuite.direct import statistics
from evalsuite.direct.sources import read
from evalsuite.direct.statistics import moments_of, samples_with
from evalsuite.errors import StoreError, UsageError
from evalsuite.moments import save
from tests.direct.files import clouds


def test_they_are_those_of_numpy(monkeypatch):
    monkeypatch.setattr(statistics, "BLOCK", 64)
    features = clouds(300, 5, shift=100.0)
    found = moments_of(read(features, "reference"))
    np.testing.assert_allclose(found.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(features, rowvar=False), rtol=1e-9)
    assert found.n == 300


def test_one_sample_has_no_covariance():
    with pytest.raises(UsageError, match="found 1 sample, expected at least 2"):
        moments_of(read(clouds(1), "reference"))


@pytest.mark.parametrize(("n", "dim"), [(2, 1), (2, 9), (10, 9), (300, 5)])
def test_samples_stand_in_for_those_that_were_not_kept(n, dim):
    wanted = moments_of(read(clouds(n, dim, shift=3.0), "reference"))
    found = moments_of(samples_with(wanted))
    np.testing.assert_allclose(found.mean, wanted.mean, atol=1e-12)
    np.testing.assert_allclose(found.covariance, wanted.covariance, atol=1e-12)
    assert found.n == n


def test_a_covariance_that_so_few_samples_cannot_have():
    made = replace(moments_of(read(clouds(20), "reference")), n=4)
    with pytest.raises(UsageError, match="rank 5, which 4 samples cannot have"):
        samples_with(made)


def test_a_file_keeps_everything(tmp_path):
    kept = moments_of(read(clouds(20), "reference"))
    save(kept, tmp_path / "a.safetensors")
    found = read(tmp_path / "a.safetensors", "reference")
    for field in ("extractor", "fingerprint", "preprocessing", "n", "source"):
        assert getattr(found, field) == getattr(kept, field)
    np.testing.assert_array_equal(found.mean, kept.mean)
    np.testing.assert_array_equal(found.covariance, kept.covariance)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        save(moments_of(read(clouds(20), "reference")), tmp_path / "file" / "a.safetensors")
