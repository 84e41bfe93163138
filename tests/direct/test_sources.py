"""What is taken for images, for features and for statistics, and what each mistake is answered with."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from evalsuite.direct.images import ArrayImages, FolderImages, ZippedImages
from evalsuite.direct.sources import fingerprint, read
from evalsuite.errors import UsageError
from evalsuite.records import FeatureSet, Moments
from tests.direct.files import clouds, pictures, save_folder, save_zip

NHWC = pictures(6)
NCHW = NHWC.transpose(0, 3, 1, 2)


def stored(source):
    return np.stack([source.read(i) for i in range(len(source))])


@pytest.mark.parametrize("array", [NHWC, NCHW], ids=["NHWC", "NCHW"])
def test_the_axis_of_channels_is_found(array):
    np.testing.assert_array_equal(stored(read(array, "generated")), NCHW)


def test_grey_images_need_no_axis_of_channels():
    grey = NHWC[..., 0]
    for array in (grey, grey[..., None], grey[:, None]):
        np.testing.assert_array_equal(stored(read(array, "generated")), grey[:, None])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_in_rows_are_features(dtype):
    features = clouds(20).astype(dtype)
    found = read(features, "generated")
    assert isinstance(found, FeatureSet)
    np.testing.assert_array_equal(found.features, features)


def test_float64_keeps_its_digits():
    assert read(clouds(20), "generated").features.dtype == np.float64


def test_whatever_numpy_takes_is_an_array():
    assert isinstance(read([[0.5, 1.0], [2.0, 3.0]], "generated"), FeatureSet)


def test_tensors_are_arrays():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(stored(read(torch.from_numpy(NHWC), "generated")), NCHW)


def npy(path, array):
    np.save(path, array)
    return path


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def safetensors(path, **arrays):
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    return path


FORMS = {
    "folder": lambda tmp: save_folder(tmp / "a", NHWC),
    "text path": lambda tmp: str(save_folder(tmp / "a", NHWC)),
    "zip": lambda tmp: save_zip(tmp / "a.zip", NHWC),
    "npy": lambda tmp: npy(tmp / "a.npy", NHWC),
    "npz, arr_0 beside labels": lambda tmp: npz(tmp / "a.npz", arr_0=NHWC, arr_1=np.arange(6)),
    "npz, images": lambda tmp: npz(tmp / "a.npz", images=NCHW, other=NHWC),
    "npz, any single name": lambda tmp: npz(tmp / "a.npz", samples=NCHW),
    "npz, images before statistics": lambda tmp: npz(tmp / "a.npz", arr_0=NHWC, mu=np.ones(2), sigma=np.eye(2)),
    "safetensors": lambda tmp: safetensors(tmp / "a.safetensors", images=NCHW),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_images_gives_the_same(tmp_path, form):
    found = read(FORMS[form](tmp_path), "generated")
    assert isinstance(found, FolderImages | ZippedImages | ArrayImages)
    np.testing.assert_array_equal(stored(found), NCHW)


def test_an_array_on_disk_stays_there(tmp_path):
    assert isinstance(read(npy(tmp_path / "a.npy", NHWC), "generated").array.base, np.memmap)


@pytest.mark.parametrize("save", [npz, safetensors])
def test_features_in_files(tmp_path, save):
    features = clouds(20).astype(np.float32)
    path = save(tmp_path / f"a.{save.__name__}", features=features)
    np.testing.assert_array_equal(read(path, "generated").features, features)


def test_statistics_of_clean_fid_and_pytorch_fid(tmp_path):
    found = read(npz(tmp_path / "a.npz", mu=np.arange(3.0), sigma=np.eye(3, dtype=np.float32)), "reference")
    assert isinstance(found, Moments)
    assert (found.n, found.extractor) == (None, "")
    assert found.covariance.dtype == np.float64


def test_fingerprints_know_the_content_and_not_the_order():
    digests = [bytes([i]) * 32 for i in range(5)]
    assert fingerprint(digests) == fingerprint(digests[::-1])
    assert fingerprint(digests) != fingerprint([*digests, digests[0]])
    features = clouds(20)
    assert read(features, "").source == read(features[::-1], "").source != read(features[1:], "").source


BAD_ARRAYS = {
    "one image": (NHWC[0, :, :, 0], r"found uint8 \[12, 12\], expected uint8 images"),
    "float images": (NHWC / 255, r"found float64 \[6, 12, 12, 3\].*make float images uint8: \(255"),
    "four channels": (np.zeros((2, 8, 8, 4), np.uint8), "neither end has 1 or 3 channels"),
    "either layout": (np.zeros((2, 3, 8, 3), np.uint8), "either end could be the channels"),
    "no pixels": (np.zeros((2, 0, 8, 3), np.uint8), r"expected images \[N, H, W, C\]"),
    "integers in rows": (np.zeros((4, 3), np.int64), "expected uint8 images .* or float features"),
    "16 bits": (np.zeros((2, 8, 8, 3), np.uint16), "found uint16"),
    "one row": (np.zeros(4), r"found float64 \[4\]"),
    "a number": (3.5, r"found float64 \[\]"),
    "nothing": (np.zeros((0, 4)), "expected at least one sample"),
    "no features": (np.zeros((4, 0)), r"found float64 \[4, 0\]"),
    "no features are finite": (np.full((3, 2), np.inf), "found NaN or infinite features in 3 of 3 rows, first 0"),
    "NaN": (np.array([[0.0, 1.0], [2.0, np.nan], [3.0, 4.0]]), "in 1 of 3 rows, first 1"),
    "ragged": ([[1.0, 2.0], [3.0]], "cannot be made an array"),
    "objects": (np.array([{}, {}], object), "found object"),
    "text": (np.array([["a"]]), "found <U1"),
}


@pytest.mark.parametrize(("array", "message"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_arrays_of_another_kind_are_refused(array, message):
    with pytest.raises(UsageError, match=message) as refused:
        read(array, "generated")
    assert str(refused.value).startswith("generated: ")


def pickled(path):
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    return path


def written(path, content):
    path.write_bytes(content)
    return path


BAD_FILES = {
    "absent": (lambda tmp: tmp / "absent", "does not exist; expected a folder of images"),
    "another ending": (lambda tmp: written(tmp / "a.tar", b""), r"ending in '\.tar', expected a folder"),
    "text for npy": (lambda tmp: written(tmp / "a.npy", b"no array"), "cannot be read as an array"),
    "empty npy": (lambda tmp: written(tmp / "a.npy", b""), "cannot be read as an array"),
    "pickle": (lambda tmp: pickled(tmp / "a.npy"), "cannot be read as an array: .*pickle|Python objects"),
    "pickle in npz": (lambda tmp: npz(tmp / "a.npz", a=np.array([{}], object)), "cannot be read: .*allow_pickle"),
    "text for npz": (lambda tmp: written(tmp / "a.npz", b"no zip"), "cannot be read as an array"),
    "text for safetensors": (lambda tmp: written(tmp / "a.safetensors", b"no"), "cannot be read as safetensors"),
    "arrays without names": (
        lambda tmp: npz(tmp / "a.npz", a=NHWC, b=NHWC),
        "found the arrays a, b; expected",
    ),
    "empty npz": (lambda tmp: npz(tmp / "a.npz"), r"found the arrays \(none\)"),
    "moments of two shapes": (
        lambda tmp: npz(tmp / "a.npz", mu=np.ones(3), sigma=np.eye(2)),
        r"found a mean and a covariance of \[3\] and \[2, 2\]",
    ),
    "NaN in moments": (lambda tmp: npz(tmp / "a.npz", mu=np.full(2, np.nan), sigma=np.eye(2)), "NaN or infinite"),
    "no covariance": (
        lambda tmp: npz(tmp / "a.npz", mu=np.ones(2), sigma=np.array([[1.0, 0.5], [0.0, 1.0]])),
        "not symmetric",
    ),
    "another's statistics": (
        lambda tmp: safetensors(tmp / "a.safetensors", mean=np.ones(2), covariance=np.eye(2)),
        "found format None, expected 'evalsuite-statistics-1'",
    ),
}


@pytest.mark.parametrize(("make", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_files_of_another_kind_are_refused(tmp_path, make, message):
    path = make(tmp_path)
    with pytest.raises(UsageError, match=message) as refused:
        read(path, "generated")
    assert str(refused.value).startswith(str(path))
