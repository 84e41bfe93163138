"""Where a pipeline, a VAE or a LoRA lies: a local path, or one commit of a repository on the Hugging Face hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from evalsuite import weights
from evalsuite.errors import Unavailable
from evalsuite.settings import Settings, SuitePath

Choice = Callable[[Iterable[str], str | None], list[str]]
"""Which of a repository's files are needed, by their names relative to its root, and by a variant or a name."""


class Place(Settings):
    """A local path, or a commit of a hub repository.

    Attributes:
        path: relative to the suite file.
        repository: on the hub, as ``owner/name``; looked for in the local hub cache first.
        revision: its commit, 40 hexadecimal digits; a branch or tag could change between two runs.
        download: whether what the cache lacks may be downloaded.
    """

    path: SuitePath | None = None
    repository: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")
    revision: str | None = None
    download: bool = False

    required: ClassVar[bool] = True

    @field_validator("revision")
    @classmethod
    def _is_a_commit(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch("[0-9a-f]{40}", value):
            raise ValueError(
                f"found {value!r}, expected the 40 hexadecimal digits of a commit; a branch or tag can change between "
                "two runs (the commits stand on the repository's page under Files and versions, History)"
            )
        return value

    @model_validator(mode="after")
    def _lies_in_one_place(self) -> Place:
        if self.path is not None and self.repository is not None:
            raise ValueError("found both path and repository, expected one of them")
        if self.required and self.path is None and self.repository is None:
            raise ValueError("found neither path nor repository, expected one of them")
        if self.repository is not None and self.revision is None:
            raise ValueError(
                f"repository {self.repository} has no revision; expected the commit's 40 hexadecimal digits, so that "
                "every run loads the same files"
            )
        if self.repository is None and (self.revision is not None or self.download):
            raise ValueError("revision and download belong to a repository, and there is none")
        return self

    @property
    def source(self) -> str:
        """How the record names it."""
        return f"{self.repository}@{self.revision}" if self.repository else self.path.name if self.path else ""

    def located(self, choose: Choice, which: str | None) -> Path:
        """The path, or the folder of the hub cache that holds the commit; ``choose(names, which)`` is downloaded.

        Raises:
            Unavailable: the cache lacks it and it may not, or cannot, be downloaded.
        """
        if self.repository is not None and self.revision is not None:
            return _snapshot(self.repository, self.revision, self.download, choose, which)
        assert self.path is not None
        return self.path


@cache
def _snapshot(repository: str, revision: str, download: bool, choose: Choice, which: str | None) -> Path:
    """Once a process, since a plan asks often."""
    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError as error:
        raise Unavailable(missing("huggingface_hub")) from error
    try:
        if download:
            names = choose(HfApi().list_repo_files(repository, revision=revision), which)
            return Path(snapshot_download(repository, revision=revision, allow_patterns=names))
        return Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise Unavailable(
            f"{repository}@{revision[:8]} is not in the local hub cache; download it with: hf download {repository} "
            f"--revision {revision}, or allow it in the suite with download: true"
        ) from error
    except Exception as error:  # of the hub, the network or the disk, which have no common base
        raise Unavailable(
            f"{repository}@{revision[:8]}: cannot be downloaded: {type(error).__name__}: {error}"
        ) from error


def missing(package: str) -> str:
    """The sentence about a package that is not installed."""
    return f"needs the package {package}; install it with: pip install 'evalsuite[diffusers]'"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror}") from error
    return _hash_of(path, state.st_mtime_ns, state.st_size)


@cache
def _hash_of(path: Path, modified_ns: int, size: int) -> str:
    """Hashed once a process for each state of the file: weights are large and a plan asks often."""
    return weights.sha256_of(path)
