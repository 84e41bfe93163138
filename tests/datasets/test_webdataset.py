"""Tar files as the library ``webdataset`` writes them, and tar files that mean harm."""

from __future__ import annotations

import io
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.datasets import webdataset as module
from evalsuite.datasets.webdataset import Webdataset
from evalsuite.errors import Failed, Unavailable
from tests.datasets.pictures import encoded, image_folder, labels, peak_bytes, pictures, transparent

PICTURES = pictures(8)
CONTENTS = [encoded(image) for image in PICTURES]

Member = tuple[str, bytes] | tarfile.TarInfo


def save(path: Path, members: list[Member], format: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=format) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def numbered(contents: list[bytes], ending: str = "png", start: int = 0) -> list[Member]:
    return [(f"{start + i:04d}.{ending}", content) for i, content in enumerate(contents)]


def test_it_equals_the_folder_of_the_same_pictures(tmp_path: Path) -> None:
    import webdataset

    (tmp_path / "shards").mkdir()
    with webdataset.ShardWriter(str(tmp_path / "shards" / "%03d.tar"), maxcount=3, verbose=0) as writer:
        for i, content in enumerate(CONTENTS):
            writer.write({"__key__": f"{i:04d}", "png": content, "cls": labels(8)[i], "json": {"id": i}})
    folder = image_folder(tmp_path / "folder", PICTURES)
    tars = plugins.find("datasets", "webdataset")(path=tmp_path / "shards")
    ids = np.array([5, 0, 7, 7, 2])
    np.testing.assert_array_equal(tars.images(ids), folder.images(ids))
    np.testing.assert_array_equal(tars.labels(), folder.labels())
    assert tars.size() == folder.size()
    assert tars.class_names() == ("0", "1")
    assert tars.images(np.array([], np.int64)).shape == (0, 3, 6, 5)


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar(tmp_path: Path, format: int) -> None:
    name = "a/" * 40 + "long.webp"
    content = encoded(PICTURES[0], "WEBP", lossless=True)
    tars = Webdataset(path=save(tmp_path / "a.tar", [(name, content), ("b.PNG", CONTENTS[1])], format))
    np.testing.assert_array_equal(tars.images(np.arange(2)), PICTURES[:2])


def test_without_labels_there_are_no_classes(tmp_path: Path) -> None:
    tars = Webdataset(path=save(tmp_path / "a.tar", numbered(CONTENTS)))
    assert tars.labels() is None
    assert tars.class_names() == ()


def test_what_is_no_image_is_left_out(tmp_path: Path) -> None:
    others: list[Member] = [
        ("README", b"text"),
        ("0000.json", b"{}"),
        ("0000.seg.png", CONTENTS[5]),
        ("._0000.png", b"of a file system"),
        (".hidden/.png", b""),
        link("folder.png", "", tarfile.DIRTYPE),
        link("pipe.png", "", tarfile.FIFOTYPE),
        link("soft.png", "/etc/hostname", tarfile.SYMTYPE),
        link("hard.png", "0000.png", tarfile.LNKTYPE),
    ]
    tars = Webdataset(path=save(tmp_path / "a.tar", [*others[:1], *numbered(CONTENTS[:2]), *others[1:]]))
    np.testing.assert_array_equal(tars.images(np.arange(tars.size())), PICTURES[:2])


def test_names_that_would_leave_the_folder_do_no_harm(tmp_path: Path) -> None:
    members: list[Member] = [("../../escaped.png", CONTENTS[0]), ("/absolute.png", CONTENTS[1])]
    before = {path.name for path in tmp_path.parent.iterdir()}
    tars = Webdataset(path=save(tmp_path / "a.tar", members))
    np.testing.assert_array_equal(tars.images(np.arange(2)), PICTURES[:2])
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar"}
    assert {path.name for path in tmp_path.parent.iterdir()} == before


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tar", numbered(CONTENTS))
    first = Webdataset(path=path).fingerprint()
    moved = path.rename(tmp_path / "b.tar")
    assert Webdataset(path=moved).fingerprint() == first
    save(moved, numbered(CONTENTS[::-1]))
    assert Webdataset(path=moved).fingerprint() != first


def test_the_files_of_a_folder_follow_one_another(tmp_path: Path) -> None:
    save(tmp_path / "val-1.tar", numbered(CONTENTS[3:]))
    save(tmp_path / "val-0.tar", numbered(CONTENTS[:3]))
    save(tmp_path / "train-0.tar", numbered(CONTENTS))
    tars = Webdataset(path=tmp_path, pattern="val-*.tar")
    np.testing.assert_array_equal(tars.images(np.arange(8)), PICTURES)


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        contents = [encoded(image, compress_level=0) for image in pictures(count, 3, 32, 32)]
        tars = Webdataset(path=save(tmp_path / f"{count}.tar", numbered(contents)))
        return peak_bytes(lambda: tars.images(np.arange(count - 8, count)))

    few, many = peak(200), peak(1600)
    assert many < few + 1400 * 700, "of 3 KB an image, the place where it lies is kept"


def test_an_index_is_made_once_for_each_state_of_a_file(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tar", numbered(CONTENTS))
    module._index.cache_clear()
    assert [Webdataset(path=path).size() for _ in range(3)] == [8, 8, 8]
    assert module._index.cache_info().misses == 1
    save(path, numbered(CONTENTS[:2]))
    assert Webdataset(path=path).size() == 2


REFUSED: dict[str, tuple[list[Member], str]] = {
    "two images": ([("a.png", CONTENTS[0]), ("a.jpg", b"")], "found a.png and a.jpg, expected one image a sample"),
    "a name twice": (numbered(CONTENTS[:1]) * 2, "found 0000.png and 0000.png, expected one image a sample"),
    "a label alone": (
        [*numbered(CONTENTS), ("b.cls", b"1")],
        "found b.cls without an image; expected one of .png, .jpg",
    ),
    "one label": (
        [*numbered(CONTENTS), ("0001.cls", b"1")],
        "0000.png has no .cls beside it, though other images have",
    ),
    "a word": (
        [("a.png", CONTENTS[0]), ("a.cls", b"cat")],
        "a.cls holds b'cat', expected a label: a whole number from 0",
    ),
    "nothing": ([("a.png", CONTENTS[0]), ("a.cls", b"")], "a.cls holds b'', expected a label: a whole number from 0"),
    "negative": (
        [("a.png", CONTENTS[0]), ("a.cls", b"-1")],
        "a.cls holds b'-1', expected a label: a whole number from 0",
    ),
    "endless": (
        [("a.png", CONTENTS[0]), ("a.cls", b"1" * 10_000)],
        "a.cls holds b'111111111111111111', expected a label",
    ),
    "an id": (
        [("a.png", CONTENTS[0]), ("a.cls", b"123456789")],
        "found label 123456789 at image 0, expected 0 to 99999",
    ),
}


@pytest.mark.parametrize(("members", "message"), REFUSED.values(), ids=REFUSED)
def test_samples_that_are_refused(tmp_path: Path, members: list[Member], message: str) -> None:
    path = save(tmp_path / "a.tar", members)
    with pytest.raises(Failed, match=re.escape(f"{path}: {message}")):
        Webdataset(path=path).labels()


BAD_IMAGES = {
    "another size": (
        encoded(pictures(1, 3, 4, 5)[0]),
        r"a\.tar/0000\.png has 3x6x5 .*, a\.tar/0002\.png has 3x4x5; resize",
    ),
    "no image": (b"no image", r"a\.tar/0002\.png: cannot be read as an image"),
    "cut short": (CONTENTS[2][:-40], r"a\.tar/0002\.png: cannot be read as an image, damaged"),
    "transparent": (transparent(), r"a\.tar/0002\.png: found transparency"),
    "empty": (b"", r"a\.tar/0002\.png: cannot be read as an image"),
}


@pytest.mark.parametrize(("content", "message"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_images_that_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    tars = Webdataset(path=save(tmp_path / "a.tar", numbered([*CONTENTS[:2], content, *CONTENTS[3:]])))
    with pytest.raises(Failed, match=message):
        tars.images(np.arange(8))
    np.testing.assert_array_equal(tars.images(np.arange(3, 8)), PICTURES[3:])


def test_an_image_too_large_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IMAGE_BYTES", 100)
    path = save(tmp_path / "a.tar", numbered(CONTENTS))
    with pytest.raises(Failed, match=r"0000\.png has \d+ bytes, more than 100"):
        Webdataset(path=path).size()


class TestDamage:
    """Each is refused with the file's name, within no time and no memory."""

    @staticmethod
    def refused(path: Path, content: bytes) -> str:
        path.write_bytes(content)
        with pytest.raises(
            Failed, match=rf"^{path}: cannot be read as a tar file \(not compressed\), damaged: "
        ) as refused:
            Webdataset(path=path).size()
        return str(refused.value)

    @pytest.fixture
    def whole(self, tmp_path: Path) -> bytes:
        return save(tmp_path / "a.tar", numbered(CONTENTS), tarfile.USTAR_FORMAT).read_bytes()

    @pytest.mark.parametrize("size", [0, 100, 512, 700, 3 * 1024])
    def test_cut_short(self, tmp_path: Path, whole: bytes, size: int) -> None:
        self.refused(tmp_path / "b.tar", whole[:size])

    def test_cut_short_between_two_members(self, tmp_path: Path, whole: bytes) -> None:
        end = next(i for i in range(2048, len(whole), 512) if whole[i : i + 4] == b"0003")
        assert "no header and no end mark" in self.refused(tmp_path / "b.tar", whole[:end])

    def test_a_broken_header_in_the_middle(self, tmp_path: Path, whole: bytes) -> None:
        at = next(i for i in range(2048, len(whole), 512) if whole[i : i + 4] == b"0003")
        assert "no header and no end mark" in self.refused(tmp_path / "b.tar", whole[:at] + b"9" + whole[at + 1 :])

    def test_compressed(self, tmp_path: Path, whole: bytes) -> None:
        import gzip

        self.refused(tmp_path / "b.tar", gzip.compress(whole))

    def test_other_files(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "b.tar", b"no tar file" * 1000)
        self.refused(tmp_path / "b.tar", os.urandom(4096))

    @pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
    @pytest.mark.parametrize("size", [-512, -(2**40), 2**40])
    def test_sizes_that_lie(self, tmp_path: Path, kind: bytes, size: int) -> None:
        info = tarfile.TarInfo("a.png")
        info.type, info.size = kind, 0
        header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        header[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)  # type: ignore[attr-defined]
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        path = tmp_path / "b.tar"
        path.write_bytes(bytes(header) + bytes(10_240))
        with pytest.raises(Failed, match=r"damaged: |a\.png has 1099511627776 bytes, more than 536870912"):
            Webdataset(path=path).size()

    def test_a_negative_size_in_an_extended_header(self, tmp_path: Path) -> None:
        info = tarfile.TarInfo("a.png")
        info.pax_headers = {"size": "-1024"}
        with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(info)
        self.refused(tmp_path / "b.tar", (tmp_path / "a.tar").read_bytes())

    def test_headers_without_end(self, tmp_path: Path) -> None:
        info = tarfile.TarInfo("a")
        info.type = tarfile.GNUTYPE_LONGNAME
        self.refused(tmp_path / "b.tar", info.tobuf(tarfile.GNU_FORMAT) * 100_000)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"none does not exist; expected a file, or a folder of files \*\.tar"):
        Webdataset(path=tmp_path / "none").size()
    with pytest.raises(Unavailable, match=r"has no file \*\.tar; set path to"):
        Webdataset(path=tmp_path).fingerprint()
    with pytest.raises(Unavailable, match=r"has no image; expected members such as 0001\.png and 0001\.cls"):
        Webdataset(path=save(tmp_path / "a.tar", [("README", b"text")])).size()


def test_the_same_settings_as_in_a_suite(tmp_path: Path) -> None:
    made: Any = plugins.find("datasets", "webdataset").model_validate({"path": "a.tar"}, context={"base": tmp_path})
    assert made.path == tmp_path / "a.tar"
