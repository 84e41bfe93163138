"""Where the weights of public networks lie, and how they come there: when asked for, by hash, and never silently.

They lie in one folder: ``$EVALSUITE_WEIGHTS``, else a folder of the user's data. A file is known by the SHA-256 that is
pinned here, wherever it was copied from.
"""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any

from evalsuite import files
from evalsuite.errors import Failed, StoreError, Unavailable, UnknownNameError

Report = Callable[[int, int | None], None]
"""Told the bytes that have come, and how many there will be if the server says so."""

_BLOCK = 1 << 20
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class PublicFile:
    """Weights that anyone can download.

    Attributes:
        url: its end is the file's name in the folder.
        sha256: of the whole file, 64 hexadecimal digits.
        bytes: its size.
        used_for: extractors and metrics that need it.
        licence: as its publisher states it.
    """

    url: str
    sha256: str
    bytes: int
    used_for: str
    licence: str

    @property
    def filename(self) -> str:
        return self.url.rpartition("/")[2]


PUBLIC: dict[str, PublicFile] = {
    "inception-v3": PublicFile(
        url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        bytes=95_628_359,
        used_for="extractor inception-v3",
        licence="Apache-2.0",
    ),
    "alexnet": PublicFile(
        url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        bytes=244_408_911,
        used_for="metric lpips",
        licence="BSD-3-Clause",
    ),
    "vgg16": PublicFile(
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        bytes=553_433_881,
        used_for="metric dists; metric lpips with network: vgg",
        licence="BSD-3-Clause",
    ),
}
"""By the name that ``evalsuite weights fetch`` takes."""


def folder() -> Path:
    """``$EVALSUITE_WEIGHTS``, else the user's data folder; need not exist."""
    chosen = os.environ.get("EVALSUITE_WEIGHTS")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("evalsuite") / "weights"


def find(name: str) -> Path:
    """The file of some public weights, its hash checked.

    Raises:
        Unavailable: it is not there; says how to get it.
        Failed: the file that bears its name is another one.
    """
    public = PUBLIC[name]
    path = folder() / public.filename
    if not path.is_file():
        raise Unavailable(
            f"the weights {public.filename} are not in {folder()}; `evalsuite weights fetch {name}` downloads them "
            f"({public.bytes / 1e6:.0f} MB), or copy the file there, or set EVALSUITE_WEIGHTS to the folder that has it"
        )
    found = sha256_of(path)
    if found != public.sha256:
        raise Failed(
            f"{path}: its SHA-256 begins with {found[:8]}, expected {public.sha256[:8]}: it was changed or cut short; "
            f"remove it and run `evalsuite weights fetch {name}`"
        )
    return path


def find_folder(name: str, files: tuple[str, ...], source: str) -> Path:
    """The folder of a model that consists of several files, such as ``dinov2-small``.

    Args:
        files: without these it is of no use.
        source: where the public model is to be had.

    Raises:
        Unavailable: it is not there, or not whole; says what to copy.
    """
    path = folder() / name
    absent = [file for file in files if not (path / file).is_file()]
    if absent:
        raise Unavailable(
            f"{path} lacks {', '.join(absent)}; copy the files of {source} there, or set EVALSUITE_WEIGHTS to a folder "
            f"that has {name}/"
        )
    return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        return files.sha256_of(path)
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror or error}; expected a file of weights") from error


def fetch(name: str, report: Report = lambda done, total: None) -> Path:
    """Download some public weights into the folder, unless they are there.

    The file appears under its name only once it is whole and its hash is right.

    Raises:
        UnknownNameError: there are no public weights of that name.
        Unavailable: the server cannot be reached, or refuses.
        Failed: what came is not what is pinned; nothing is kept.
        StoreError: the folder cannot be written.
    """
    if name not in PUBLIC:
        raise UnknownNameError("weights", name, PUBLIC)
    public = PUBLIC[name]
    path = folder() / public.filename
    if path.is_file() and sha256_of(path) == public.sha256:
        return path
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            found = _download(public.url, file, report)
        if found != public.sha256:
            raise Failed(
                f"{public.url}: what came has a SHA-256 that begins with {found[:8]}, expected {public.sha256[:8]}; "
                f"nothing was kept; try again, or copy the file from elsewhere to {path.parent}"
            )
        part.replace(path)
    except (HTTPException, urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise Unavailable(
            f"{public.url}: cannot be downloaded: {error}; download it elsewhere and copy it to {path.parent}"
        ) from error
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _download(url: str, file: IO[bytes], report: Report) -> str:
    """Copy what a URL has into a file; its SHA-256."""
    _require_safe(url)
    digest = hashlib.sha256()
    done = 0
    with urllib.request.build_opener(_SafeRedirects).open(url, timeout=_TIMEOUT_S) as response:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        while block := response.read(_BLOCK):
            digest.update(block)
            file.write(block)
            done += len(block)
            report(done, total)
    return digest.hexdigest()


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection if that is safe too."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        _require_safe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_safe(url: str) -> None:
    """Refuse what others can read along; this machine may talk to itself."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != ("http", "127.0.0.1"):
        raise Unavailable(f"{url}: found {parts.scheme}, expected https; nothing was downloaded")


def load(path: Path) -> dict[str, Any]:
    """The tensors of a PyTorch file, by name; nothing in it is run.

    Raises:
        Failed: it is no such file.
    """
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise all kinds, from KeyError to UnpicklingError
        raise Failed(f"{path}: found no PyTorch weights: {type(error).__name__}; expected a state dict") from error
    if not isinstance(content, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in content.values()):
        raise Failed(f"{path}: found {type(content).__name__}, expected a state dict: tensors by name")
    return content
