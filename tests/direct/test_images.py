"""Images in folders, archives and arrays: which there are, in which order, and what is refused."""

import re
import struct
import zipfile

import numpy as np
import pytest

from evalsuite.direct import images as module
from evalsuite.direct.images import ArrayImages, FolderImages, ZippedImages, pixel_digest
from evalsuite.errors import UsageError
from tests.direct.files import encoded, pictures, save_folder, save_zip


def all_of(images):
    return [image for batch in images.batches(range(len(images)), 7) for image in batch]


@pytest.mark.parametrize("pattern", ["{:04d}.png", "generated/{:04d}.png", "{0:01d}/deep/er/{0:04d}.png"])
@pytest.mark.parametrize("save", [save_folder, save_zip])
def test_files_in_the_order_of_their_paths(tmp_path, save, pattern):
    wanted = pictures(9)
    path = save(tmp_path / "images.zip", wanted, pattern)
    images = FolderImages(path) if path.is_dir() else ZippedImages(path)
    assert len(images) == 9
    np.testing.assert_array_equal(np.stack(all_of(images)), wanted.transpose(0, 3, 1, 2))
    assert images.names[3].endswith("0003" if "/deep" not in pattern else "3/deep/er/0003")


def test_names_leave_out_endings_and_shared_folders(tmp_path):
    flat = FolderImages(save_folder(tmp_path / "a", pictures(3)))
    nested = ZippedImages(save_zip(tmp_path / "b.zip", pictures(3), "b/c/{:04d}.bmp"))
    assert flat.names == nested.names == ("0000", "0001", "0002")


def test_other_and_hidden_files_are_left_out(tmp_path):
    folder = save_folder(tmp_path, pictures(2))
    (folder / "notes.txt").write_text("no image")
    save_folder(folder / ".thumbnails", pictures(1))
    (folder / "._0000.png").write_bytes(b"what macOS leaves")
    assert len(FolderImages(folder)) == 2
    archive = save_zip(tmp_path / "a.zip", pictures(2))
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("__MACOSX/._0000.png", b"")
        file.writestr("licence.txt", b"")
    assert len(ZippedImages(archive)) == 2


def test_no_images(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(UsageError, match=r"found no images, expected files ending in \.png"):
        FolderImages(tmp_path)
    with pytest.raises(UsageError, match="found no images"):
        ZippedImages(save_zip(tmp_path / "a.zip", []))


def test_images_of_a_format_that_is_not_read_are_not_left_out_silently(tmp_path):
    (save_folder(tmp_path, pictures(2)) / "moving.gif").write_bytes(b"")
    with pytest.raises(UsageError, match=r"found moving\.gif, expected .* convert it, or take it away"):
        FolderImages(tmp_path)


@pytest.mark.parametrize("where", ["folder", "zip"])
def test_a_damaged_file_is_named(tmp_path, where):
    content = [encoded(image) for image in pictures(3)]
    content[1] = content[1][:60]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for i, one in enumerate(content):
            archive.writestr(f"{i}.png", one)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "folder")
    images = FolderImages(tmp_path / "folder") if where == "folder" else ZippedImages(tmp_path / "a.zip")
    with pytest.raises(UsageError, match=r"1\.png: cannot be read as an image"):
        all_of(images)


def test_a_file_that_is_gone(tmp_path):
    images = FolderImages(save_folder(tmp_path, pictures(2)))
    (tmp_path / "0001.png").unlink()
    with pytest.raises(UsageError, match=r"0001\.png cannot be read: .*No such file"):
        images.digest(1)


class TestArchives:
    """Archives that were made to do harm, or came to harm."""

    def test_paths_that_lead_out_are_names_and_nothing_more(self, tmp_path):
        inside = tmp_path / "inside"
        inside.mkdir()
        with zipfile.ZipFile(inside / "slip.zip", "w") as archive:
            archive.writestr("../../slipped.png", encoded(pictures(1)[0]))
            archive.writestr("/absolute.png", encoded(pictures(2)[1]))
        assert len(all_of(ZippedImages(inside / "slip.zip"))) == 2
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["inside", "slip.zip"]

    def test_a_file_that_unpacks_to_too_much_is_not_unpacked(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", 100_000)
        with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.png", bytes(200_000))
        with pytest.raises(UsageError, match=r"a\.png cannot be read: it unpacks to 200000 bytes"):
            ZippedImages(tmp_path / "bomb.zip").read(0)

    def test_a_size_that_lies_is_found_out(self, tmp_path):
        """The archive says 100 bytes and holds more: it is read to the 100th, and the checksum is wrong."""
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.png", bytes(200_000))
        content = (tmp_path / "a.zip").read_bytes()
        (tmp_path / "a.zip").write_bytes(content.replace(struct.pack("<L", 200_000), struct.pack("<L", 100)))
        with pytest.raises(UsageError, match="Bad CRC-32"):
            ZippedImages(tmp_path / "a.zip").read(0)

    def test_one_path_twice(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("a.png", encoded(pictures(1)[0]))
            with pytest.warns(UserWarning, match="Duplicate name"):
                archive.writestr("a.png", encoded(pictures(2)[1]))
        with pytest.raises(UsageError, match=r"found a\.png twice"):
            ZippedImages(tmp_path / "a.zip")

    def test_no_archive(self, tmp_path):
        (tmp_path / "a.zip").write_bytes(b"PK no zip")
        with pytest.raises(UsageError, match="cannot be read as a zip archive"):
            ZippedImages(tmp_path / "a.zip")

    def test_encrypted(self, tmp_path):
        path = save_zip(tmp_path / "a.zip", pictures(1))
        content = bytearray(path.read_bytes())
        for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            content[content.index(header) + flags] |= 1
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"0000\.png cannot be read: .*encrypted"):
            ZippedImages(path).read(0)

    def test_cut_short(self, tmp_path):
        path = save_zip(tmp_path / "a.zip", pictures(5))
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(UsageError, match=re.escape(str(path))):
            ZippedImages(path)


def test_an_array_is_its_rows():
    array = pictures(5).transpose(0, 3, 1, 2)
    images = ArrayImages(array)
    np.testing.assert_array_equal(np.stack(all_of(images)), array)
    assert images.digest(2) == pixel_digest(array[2])
    assert len({images.digest(i) for i in range(5)}) == 5


def test_images_are_read_a_few_at_a_time():
    """Whatever their number, so many batches are in memory and no more."""
    asked = []

    class Counting(ArrayImages):
        def read(self, position):
            asked.append(position)
            return super().read(position)

    batches = Counting(np.zeros((1000, 1, 4, 4), np.uint8)).batches(range(1000), 10)
    for done in range(1, 100):
        next(batches)
        assert len(asked) <= 10 * (done + module.BATCHES_AHEAD)
    batches.close()
