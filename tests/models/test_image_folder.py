"""The adapter for images that are there already: pairing by number, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from evalsuite.errors import Failed
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


def generated(adapter: ImageFolder, ids: list[int]) -> NDArray[np.uint8]:
    sample_ids = np.array(ids, np.int64)
    with adapter.open(Cpu()) as model:
        return model.generate(Batch(sample_ids, sample_ids), NoProbe())


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
    [{"other": noise(2)}, {"images": noise(2).astype(np.float32)}, {"images": noise(2)[:, 0]}, {"images": noise(2, 2)}],
    ids=["name", "dtype", "axes", "channels"],
)
def test_arrays_of_another_kind_are_refused(tmp_path: Path, arrays: dict[str, NDArray[np.uint8]]) -> None:
    np.savez(tmp_path / "images.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(Failed, match=r"expected an array 'images', uint8 \[N, C, H, W\]"):
        ImageFolder(path=tmp_path / "images.npz").capabilities()


def test_no_array_file(tmp_path: Path) -> None:
    (tmp_path / "images.npz").write_bytes(b"no zip")
    with pytest.raises(Failed, match="expected an array"):
        ImageFolder(path=tmp_path / "images.npz").capabilities()
