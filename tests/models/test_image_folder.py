"""The adapter for images that are there already: pairing by number, and what is refused."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from evalsuite.errors import Failed
from evalsuite.models import _numbered_images
from evalsuite.models.contract import Batch, NoProbe
from evalsuite.models.image_folder import ImageFolder
from evalsuite.targets.cpu import Cpu


def noise(count: int, channels: int = 1, side: int = 8) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, channels, side, side), dtype=np.uint8)


def save(images: NDArray[np.uint8], folder: Path, pattern: str = "{:03d}.png") -> Path:
    folder.mkdir(exist_ok=True)
    for i, image in enumerate(images):
        pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        Image.fromarray(np.ascontiguousarray(pixels)).save(folder / pattern.format(i))
    return folder


def save_zip(images: NDArray[np.uint8], path: Path, pattern: str = "{:03d}.png", **others: bytes) -> Path:
    """An archive of the images, and of other files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, image in enumerate(images):
            archive.writestr(pattern.format(i), png(image))
        for name, content in others.items():
            archive.writestr(name, content)
    return path


def png(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))).save(file, "PNG")
    return file.getvalue()


def generated(adapter: ImageFolder, ids: list[int], classes: int | None = None) -> NDArray[np.uint8]:
    sample_ids = np.array(ids, np.int64)
    labels = None if classes is None else sample_ids % classes
    with adapter.open(Cpu()) as model:
        return model.generate(Batch(sample_ids, sample_ids, labels), NoProbe())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("pattern", ["{:03d}.png", "sample-{}.png", "seed7_img{}.png"])
def test_sample_i_is_the_file_with_number_i(tmp_path: Path, channels: int, pattern: str) -> None:
    images = noise(12, channels)
    adapter = ImageFolder(path=save(images, tmp_path / "images", pattern))
    assert np.array_equal(generated(adapter, [0, 2, 11]), images[[0, 2, 11]])
    assert adapter.capabilities().max_samples == 12
    assert not adapter.capabilities().timed


@pytest.mark.parametrize("channels_last", [False, True])
def test_arrays_in_either_layout(tmp_path: Path, channels_last: bool) -> None:
    images = noise(5, 3)
    np.savez(tmp_path / "images.npz", images=images.transpose(0, 2, 3, 1) if channels_last else images)
    adapter = ImageFolder(path=tmp_path / "images.npz")
    assert np.array_equal(generated(adapter, [1, 4]), images[[1, 4]])
    assert adapter.capabilities().max_samples == 5


@pytest.mark.parametrize("pattern", ["{:03d}.png", "samples/{}.png", "./run7/seed{}.png"])
def test_sample_i_of_an_archive(tmp_path: Path, pattern: str) -> None:
    images = noise(12, 3)
    hidden = {"__MACOSX/._000.png": b"", ".thumbnails/1.png": b"", "readme.txt": b"", "samples/": b""}
    adapter = ImageFolder(path=save_zip(images, tmp_path / "images.zip", pattern, **hidden))
    assert np.array_equal(generated(adapter, [0, 2, 11]), images[[0, 2, 11]])
    assert adapter.capabilities().max_samples == 12
    before = adapter.fingerprint()
    save_zip(images[::-1], tmp_path / "images.zip", pattern)
    assert adapter.fingerprint() != before


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_as_guided_diffusion_writes_them(tmp_path: Path, save: Callable[..., None]) -> None:
    images = noise(7, 3)
    save(tmp_path / "samples.npz", images.transpose(0, 2, 3, 1), np.arange(7) % 3)
    adapter = ImageFolder(path=tmp_path / "samples.npz", condition="class")
    assert adapter.capabilities().max_samples == 7
    assert np.array_equal(generated(adapter, [4, 0, 6], classes=3), images[[4, 0, 6]])


def test_labels_must_be_those_that_the_suite_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, noise(8, 3), np.arange(8) % 3)
    with pytest.raises(Failed, match="found class 0 for image 3, expected 3: image i shows class i mod C"):
        generated(ImageFolder(path=path, condition="class"), [2, 3], classes=4)
    assert len(generated(ImageFolder(path=path), [2, 3])) == 2


def test_labels_in_no_order_are_found_out_before_anything_is_generated(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, noise(4, 3), np.array([0, 2, 1, 1]))
    with pytest.raises(Failed, match="found class 2 for image 1, expected 1"):
        ImageFolder(path=path, condition="class").capabilities()
    assert ImageFolder(path=path, condition="none").capabilities().max_samples == 4


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(3), "found 3 labels in arr_1, expected one for each of 4 images"),
        (np.ones(4), r"found float64 \[4\] in arr_1, expected whole numbers"),
        (np.eye(4, dtype=np.int64), r"found int64 \[4, 4\] in arr_1"),
        (np.array([0, 1, -1, 3]), "found -1 in arr_1, expected classes from 0"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, labels: NDArray[np.int64], message: str) -> None:
    np.savez(tmp_path / "samples.npz", noise(4, 3), labels)
    with pytest.raises(Failed, match=message):
        ImageFolder(path=tmp_path / "samples.npz", condition="class").capabilities()


def test_fingerprint_is_of_the_content_alone(tmp_path: Path) -> None:
    images = noise(3)
    here, there = save(images, tmp_path / "a"), save(images, tmp_path / "b", "other-{}.png")
    assert ImageFolder(path=here).fingerprint() == ImageFolder(path=there).fingerprint()
    before = ImageFolder(path=here).fingerprint()
    save(images[::-1], here)
    assert ImageFolder(path=here).fingerprint() != before


def test_gaps_are_refused(tmp_path: Path) -> None:
    folder = save(noise(4), tmp_path / "images")
    (folder / "002.png").unlink()
    with pytest.raises(Failed, match=r"found 003\.png where sample 2 should be"):
        ImageFolder(path=folder).fingerprint()


def test_two_files_for_one_sample_are_refused(tmp_path: Path) -> None:
    folder = save(noise(2), tmp_path / "images")
    save(noise(2), folder, "copy-{}.png")
    with pytest.raises(Failed, match="where sample 1 should be"):
        ImageFolder(path=folder).capabilities()


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_no_images(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Failed, match="expected"):
        ImageFolder(path=tmp_path / place).fingerprint()


def test_mixed_sizes_are_refused(tmp_path: Path) -> None:
    folder = save(noise(2), tmp_path / "images")
    Image.fromarray(noise(1, side=9)[0, 0]).save(folder / "002.png")
    with pytest.raises(Failed, match=r"002\.png is 9x9 grey, but 000\.png is 8x8 grey"):
        generated(ImageFolder(path=folder), [0, 1, 2])


@pytest.mark.parametrize(
    "arrays",
    [
        {"other": noise(2)},
        {"images": noise(2).astype(np.float32)},
        {"images": noise(2)[:, 0]},
        {"images": noise(2, 2)},
        {"images": noise(2, 3, side=3)},
        {"images": noise(0)},
        {"images": np.asfortranarray(noise(2))},
        {"images": noise(2).astype(object)},
    ],
    ids=["name", "dtype", "axes", "channels", "both ends", "none", "order", "objects"],
)
def test_arrays_of_another_kind_are_refused(tmp_path: Path, arrays: dict[str, NDArray[np.uint8]]) -> None:
    np.savez(tmp_path / "images.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(Failed, match=r"expected an array 'images' or 'arr_0', uint8 \[N, C, H, W\]"):
        ImageFolder(path=tmp_path / "images.npz").capabilities()


def test_no_array_file(tmp_path: Path) -> None:
    (tmp_path / "images.npz").write_bytes(b"no zip")
    with pytest.raises(Failed, match="expected an array"):
        ImageFolder(path=tmp_path / "images.npz").capabilities()


class TestHostileFiles:
    """Files that were made to do harm, or came to harm."""

    def test_paths_that_lead_out_are_names_and_nothing_more(self, tmp_path: Path) -> None:
        images = noise(2)
        (tmp_path / "inside").mkdir()
        path = save_zip(images, tmp_path / "inside" / "slip.zip", "../../slipped-{}.png")
        assert np.array_equal(generated(ImageFolder(path=path), [0, 1]), images)
        assert sorted(found.name for found in tmp_path.rglob("*")) == ["inside", "slip.zip"]

    def test_control_characters_are_refused(self, tmp_path: Path) -> None:
        path = save_zip(noise(2), tmp_path / "images.zip", "\x1b[2J{}.png")
        with pytest.raises(Failed, match=r"found the name '\\x1b\[2J0\.png', expected one without control characters"):
            ImageFolder(path=path).capabilities()

    def test_numbers_without_end(self, tmp_path: Path) -> None:
        path = save_zip(noise(1), tmp_path / "images.zip", "{}" + 5000 * "1" + ".png")
        with pytest.raises(Failed, match="where sample 0 should be"):
            ImageFolder(path=path).capabilities()

    def test_a_file_that_unpacks_to_too_much_is_not_unpacked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_numbered_images, "MAX_FILE_BYTES", 100_000)
        path = save_zip(noise(1), tmp_path / "bomb.zip", **{"1.png": bytes(200_000)})
        assert len(generated(ImageFolder(path=path), [0])) == 1
        with pytest.raises(Failed, match=r"1\.png unpacks to 200000 bytes, more than 100000"):
            generated(ImageFolder(path=path), [1])

    def test_a_damaged_image_in_an_archive(self, tmp_path: Path) -> None:
        path = save_zip(noise(1), tmp_path / "images.zip", **{"1.png": b"no image"})
        with pytest.raises(Failed, match=r"1\.png: cannot be read as an image"):
            generated(ImageFolder(path=path), [0, 1])

    def test_a_checksum_that_is_wrong(self, tmp_path: Path) -> None:
        path = save_zip(noise(1), tmp_path / "images.zip")
        checksum = struct.pack("<L", zipfile.ZipFile(path).getinfo("000.png").CRC)
        path.write_bytes(path.read_bytes().replace(checksum, bytes(4)))
        with pytest.raises(Failed, match=r"000\.png cannot be read: Bad CRC-32"):
            generated(ImageFolder(path=path), [0])

    def test_gaps_in_an_archive(self, tmp_path: Path) -> None:
        path = save_zip(noise(2), tmp_path / "images.zip", "{}.png", **{"3.png": png(noise(1)[0])})
        with pytest.raises(Failed, match=r"found 3\.png where sample 2 should be"):
            ImageFolder(path=path).capabilities()

    def test_no_archive(self, tmp_path: Path) -> None:
        (tmp_path / "images.zip").write_bytes(b"no zip")
        with pytest.raises(Failed, match="cannot be read as a zip archive"):
            ImageFolder(path=tmp_path / "images.zip").capabilities()

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((10**9, 3, 64, 64), "not as long as its header says"),
            ((2, 3, 10**6, 10**6), "expected images of at most 64000000 pixels"),
            ((2, 1, 10**30, 8), "expected images of at most"),
        ],
    )
    def test_an_array_that_claims_to_be_large_takes_no_memory(
        self, tmp_path: Path, shape: tuple[int, ...], message: str
    ) -> None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        path = save_zip(noise(0), tmp_path / "bomb.npz", **{"images.npy": header.getvalue() + bytes(100)})
        with pytest.raises(Failed, match=message):
            ImageFolder(path=path).capabilities()

    def test_an_array_that_is_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "images.npz"
        np.savez(path, images=noise(4, 3))
        content = path.read_bytes()
        path.write_bytes(content.replace(noise(4, 3)[2].tobytes(), bytes(3 * 8 * 8)))
        with pytest.raises(Failed, match="Bad CRC-32"):
            generated(ImageFolder(path=path), [0, 1, 2, 3])
