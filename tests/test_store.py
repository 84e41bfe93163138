"""The store: what is kept comes back, what is damaged is absent, what cannot be written says so."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evalsuite.errors import StoreError
from evalsuite.store import Store, default_root

ARRAYS: dict[str, NDArray[Any]] = {
    "images": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "logits": np.ones((2, 5), np.float32),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def only_file(store: Store) -> Path:
    (path,) = (path for path in store.root.rglob("*") if path.is_file())
    return path


def test_what_was_written_is_read(store: Store) -> None:
    digest = store.write("samples", "abcd/0-2", ARRAYS)
    found = store.read("samples", "abcd/0-2")
    assert found is not None
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in ARRAYS.items()}
    assert {name: array.dtype for name, array in found.items()} == {n: a.dtype for n, a in ARRAYS.items()}
    assert store.digest("samples", "abcd/0-2") == digest


def test_the_digest_is_that_of_the_content(store: Store) -> None:
    one, two = store.write("samples", "ab/1", ARRAYS), store.write("features", "cd/2", ARRAYS)
    other = store.write("samples", "ab/3", {"images": ARRAYS["images"] + np.uint8(1)})
    assert one == two != other


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.read("samples", "abcd/0-2") is None
    assert store.digest("samples", "abcd/0-2") is None
    assert store.read_document("measurements", "abcd") is None
    assert store.size() == []
    assert store.prune(0, 0) == 0


def test_documents_keep_json_and_arrays(store: Store) -> None:
    document = {"value": 0.1, "text": "Größe", "nothing": None}
    store.write_document("measurements", "abcd", document, {"per_sample": np.array([0.5, 1.5])})
    found = store.read_document("measurements", "abcd")
    assert found is not None
    assert found[0] == document
    assert found[1]["per_sample"].tolist() == [0.5, 1.5]


@pytest.mark.parametrize("position", [0, 31, 32, 60, -1])
def test_a_flipped_byte_is_noticed_and_the_entry_discarded(store: Store, position: int) -> None:
    store.write("samples", "abcd/0-2", ARRAYS)
    path = only_file(store)
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.write_bytes(content)
    assert store.read("samples", "abcd/0-2") is None
    assert not path.exists()


@pytest.mark.parametrize("length", [0, 1, 32, 50])
def test_a_file_cut_short_is_absent(store: Store, length: int) -> None:
    store.write("samples", "abcd/0-2", ARRAYS)
    path = only_file(store)
    path.write_bytes(path.read_bytes()[:length])
    assert store.digest("samples", "abcd/0-2") is None
    store.write("samples", "abcd/0-2", ARRAYS)
    assert store.digest("samples", "abcd/0-2") is not None


def test_a_cache_that_cannot_be_written_says_what_to_try(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = Store(tmp_path / "file")
    for attempt in (store.require_writable, lambda: store.write("samples", "abcd/0-2", ARRAYS)):
        with pytest.raises(StoreError, match=r"--cache or EVALSUITE_CACHE") as caught:
            attempt()
        assert str(tmp_path / "file") in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own error, from its device that is always full."""

    def to_full_disk(path: Path, content: bytes) -> int:
        with Path("/dev/full").open("wb", buffering=0) as file:
            return file.write(content)

    monkeypatch.setattr(Path, "write_bytes", to_full_disk)
    with pytest.raises(StoreError, match=r"No space left on device.*free space there"):
        store.write("samples", "abcd/0-2", ARRAYS)


def test_forget_removes_all_chunks_of_a_key_and_no_other(store: Store) -> None:
    for key in ("abcd/0-2", "abcd/2-4", "abce/0-2"):
        store.write("samples", key, ARRAYS)
    store.forget("samples", "abcd")
    assert [store.read("samples", key) is None for key in ("abcd/0-2", "abcd/2-4", "abce/0-2")] == [True, True, False]


def test_size_counts_by_room(store: Store) -> None:
    store.write("samples", "abcd/0-2", ARRAYS)
    store.write("samples", "abcd/2-4", ARRAYS)
    store.write("features", "ef/1", ARRAYS)
    sizes = {size.room: (size.entries, size.bytes) for size in store.size()}
    assert {room: entries for room, (entries, _) in sizes.items()} == {"features": 1, "samples": 2}
    assert sizes["samples"][1] == 2 * sizes["features"][1] > 0


def aged(store: Store, room: str, key: str, days: float) -> None:
    store.write(room, key, ARRAYS)
    path = store.root / room / key[:2] / key
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def test_prune_by_age_counts_from_the_last_use(store: Store) -> None:
    aged(store, "samples", "old", 10)
    aged(store, "samples", "used", 10)
    aged(store, "samples", "new", 1)
    assert store.read("samples", "used") is not None
    assert store.prune(older_than_s=5 * 86400) > 0
    assert [store.read("samples", key) is not None for key in ("old", "used", "new")] == [False, True, True]


def test_prune_by_size_removes_the_longest_unused(store: Store) -> None:
    for key, days in (("first", 3), ("second", 2), ("third", 1)):
        aged(store, "samples", key, days)
    (size,) = store.size()
    one = size.bytes // 3
    assert store.prune(max_bytes=2 * one) == one
    assert [store.read("samples", key) is not None for key in ("first", "second", "third")] == [False, True, True]


def test_prune_takes_what_a_killed_process_left(store: Store) -> None:
    store.write("samples", "abcd", ARRAYS)
    left = only_file(store).with_name(".efgh.123.part")
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    store.prune()
    assert not left.exists()
    assert store.read("samples", "abcd") is not None


def test_the_environment_chooses_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSUITE_CACHE", str(tmp_path / "mine"))
    assert default_root() == tmp_path / "mine" == Store().root
    monkeypatch.delenv("EVALSUITE_CACHE")
    assert default_root().name == "evalsuite"
