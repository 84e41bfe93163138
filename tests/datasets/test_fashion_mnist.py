import gzip
import shutil

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite import plugins
from evalsuite.datasets import fashion_mnist
from evalsuite.datasets.fashion_mnist import FILES, PACKAGED, FashionMnist
from evalsuite.errors import Failed, Unavailable


def test_the_test_split_comes_with_the_package():
    dataset = plugins.find("datasets", "fashion-mnist")()
    images, labels = dataset.images(np.array([0, 9999, 0])), dataset.labels()
    assert images.shape == (3, 1, 28, 28)
    assert images.dtype == np.uint8
    assert (images[0] == images[2]).all()
    assert dataset.size() == len(labels) == 10_000
    assert np.bincount(labels).tolist() == [1000] * 10
    assert dataset.class_names()[labels[0]] == "ankle-boot"
    assert dataset.licence == "MIT"
    assert (PACKAGED / "LICENSE").read_text().count("Zalando SE") == 1


def test_the_splits_have_their_own_fingerprints():
    assert len(FashionMnist().fingerprint()) == 64
    assert FashionMnist().fingerprint() != FashionMnist(split="train").fingerprint()


def test_a_file_that_is_compressed_anew_is_the_same_content(tmp_path):
    for file in FILES["test"]:
        (tmp_path / file).write_bytes(gzip.compress(gzip.decompress((PACKAGED / file).read_bytes()), 1))
    np.testing.assert_array_equal(FashionMnist(path=tmp_path).labels(), FashionMnist().labels())


@pytest.mark.parametrize("damage", ["cut", "changed", "not gzip"])
def test_damaged_files_are_noticed(tmp_path, damage):
    for file in FILES["test"]:
        shutil.copy(PACKAGED / file, tmp_path / file)
    path = tmp_path / FILES["test"][1]
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[100] ^= 1
    damaged = {"cut": path.read_bytes()[:2000], "changed": gzip.compress(content), "not gzip": b"<html>404</html>"}
    path.write_bytes(damaged[damage])
    with pytest.raises(Failed, match=r"t10k-labels.* is damaged"):
        FashionMnist(path=tmp_path).labels()


def test_a_missing_train_split_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path)
    with pytest.raises(Unavailable, match="install Debian's package dataset-fashion-mnist"):
        FashionMnist(split="train").images(np.array([0]))


def test_a_relative_path_is_taken_from_the_suite_file(tmp_path):
    dataset = FashionMnist.model_validate({"split": "train", "path": "data"}, context={"base": tmp_path})
    assert dataset.path == tmp_path / "data"


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError):
        FashionMnist(split="validation")
    with pytest.raises(ValidationError, match="folder"):
        FashionMnist(folder="x")
