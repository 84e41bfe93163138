"""Mean and covariance of features, kept in files."""

import numpy as np
import pytest

from evalsuite.direct import statistics
from evalsuite.direct.sources import read
from evalsuite.direct.statistics import moments_of, save
from evalsuite.errors import StoreError, UsageError
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
