"""Weights come when asked for, from a real server, and only if they are the pinned ones."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from evalsuite import weights
from evalsuite.errors import Failed, Unavailable, UnknownNameError

CONTENT = bytes(range(256)) * 9000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "served"
    served.mkdir()
    (served / "small.pth").write_bytes(CONTENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    monkeypatch.setenv("EVALSUITE_WEIGHTS", str(folder))
    return folder


@pytest.fixture
def small(server: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> weights.PublicFile:
    digest = hashlib.sha256(CONTENT).hexdigest()
    public = weights.PublicFile(f"{server}/small.pth", digest, len(CONTENT), "tests", "none")
    monkeypatch.setitem(weights.PUBLIC, "small", public)
    return public


def pin(monkeypatch: pytest.MonkeyPatch, public: weights.PublicFile, **changes: object) -> None:
    monkeypatch.setitem(weights.PUBLIC, "small", weights.PublicFile(**{**vars(public), **changes}))


def test_fetch_downloads_once_and_tells_how_far_it_is(small: weights.PublicFile, here: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = weights.fetch("small", lambda done, total: told.append((done, total)))
    assert path == weights.find("small") == here / "small.pth"
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [found.name for found in here.iterdir()] == ["small.pth"]
    told.clear()
    weights.fetch("small", lambda done, total: told.append((done, total)))
    assert told == []


def test_another_file_is_refused_and_leaves_nothing(
    small: weights.PublicFile, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, small, sha256="0" * 64)
    with pytest.raises(Failed, match="expected 00000000; nothing was kept"):
        weights.fetch("small")
    assert list(here.iterdir()) == []


def test_a_server_that_has_it_not(small: weights.PublicFile, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, small, url=small.url.replace("small", "gone"))
    with pytest.raises(Unavailable, match="download it elsewhere and copy it to"):
        weights.fetch("small")
    assert list(here.iterdir()) == []


def test_unsafe_transport_is_refused(small: weights.PublicFile, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, small, url="http://example.org/small.pth")
    with pytest.raises(Unavailable, match="found http, expected https"):
        weights.fetch("small")


def test_what_is_not_here_is_never_fetched_silently(small: weights.PublicFile) -> None:
    with pytest.raises(Unavailable, match="`evalsuite weights fetch small` downloads them"):
        weights.find("small")


def test_a_changed_file_is_noticed(small: weights.PublicFile, here: Path) -> None:
    weights.fetch("small").write_bytes(b"other")
    with pytest.raises(Failed, match="was changed or cut short"):
        weights.find("small")
    assert weights.fetch("small").read_bytes() == CONTENT


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="inception-v3"):
        weights.fetch("inception-v4")


def test_every_public_file_is_pinned_and_comes_safely() -> None:
    for public in weights.PUBLIC.values():
        assert public.url.startswith("https://")
        assert len(public.sha256) == 64
        # Publishers put the first digits of the hash into the name.
        assert public.sha256[:8] in public.filename


def test_only_tensors_are_loaded(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "good.pth")
    assert weights.load(tmp_path / "good.pth")["a"].tolist() == [1, 1]
    torch.save({"a": print}, tmp_path / "code.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "good.pth").read_bytes()[:50])
    for name in ("code.pth", "cut.pth"):
        with pytest.raises(Failed, match="expected a state dict"):
            weights.load(tmp_path / name)
