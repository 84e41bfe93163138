"""Where a pipeline, a VAE or a LoRA lies: a local path, or one commit of a repository on the Hugging Face hub."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from evalsuite.errors import Failed, Unavailable
from evalsuite.models.contract import Download
from evalsuite.settings import Settings, SuitePath


class Place(Settings):
    """A local path, or a commit of a hub repository.

    Attributes:
        path: relative to the suite file.
        repository: on the hub, as ``owner/name``; looked for in the local hub cache first.
        revision: its commit, 40 hexadecimal digits; a branch or tag could change between two runs.
        download: whether a run may download what the cache lacks, before it starts.
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

    def located(self) -> Path:
        """The path, or the folder of the hub cache that holds the commit.

        Raises:
            Unavailable: the cache lacks it, or files of it.
        """
        if self.path is not None:
            return self.path
        if self._is_whole():
            return self._snapshot
        command = f"hf download {self.repository} --revision {self.revision}"
        advice = f"download it with: {command}, or allow it in the suite with download: true"
        raise Unavailable(
            f"{self.source} is not whole in the local hub cache; "
            f"{'the next run downloads it' if self.download else advice}"
        )

    def downloads(self) -> tuple[Download, ...]:
        """What :meth:`fetch` would download."""
        return (Download(self.source, self._missing_bytes()),) if self._is_to_be_fetched() else ()

    def fetch(self) -> None:
        """Bring what may be downloaded into the hub cache.

        Raises:
            Unavailable: it cannot be had.
        """
        if not self._is_to_be_fetched():
            return
        hub = _hub()
        try:
            names = self.wanted(hub.HfApi().list_repo_files(self.repository, revision=self.revision))
            hub.snapshot_download(self.repository, revision=self.revision, allow_patterns=names)
        except Exception as error:  # of the hub, the network or the disk, which have no common base
            raise Unavailable(f"{self.source}: cannot be downloaded: {type(error).__name__}: {error}") from error

    @abstractmethod
    def wanted(self, names: Iterable[str]) -> list[str]:
        """Of a repository's files, by their names relative to its root, those that are needed of it."""

    @property
    def _snapshot(self) -> Path:
        """Where the hub cache holds the commit, if it does."""
        cache = Path(_hub().constants.HF_HUB_CACHE).expanduser()
        return cache / f"models--{str(self.repository).replace('/', '--')}" / "snapshots" / str(self.revision)

    def _is_to_be_fetched(self) -> bool:
        try:
            return self.download and not self._is_whole()
        except Failed:  # what is wanted is not among what there is: fetching it says so
            return True
        except Unavailable:  # without the hub's package nothing can be fetched, and loading says so
            return False

    def _missing_bytes(self) -> int | None:
        """Size of what the hub cache lacks; None where the hub does not tell."""
        sizes = _cached_sizes(self.repository, self.revision) or _sizes(self.repository, self.revision)
        try:
            return None if sizes is None else sum(self._lacking(sizes).values())
        except Failed:
            return None

    def _is_whole(self) -> bool:
        """Whether the hub cache has all that is wanted, as far as it knows what there is."""
        return self._snapshot.is_dir() and not self._lacking(_cached_sizes(self.repository, self.revision) or {})

    def _lacking(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """Wanted files that the hub cache lacks, of those that there are, with their sizes."""
        names = self.wanted(sizes) if sizes else []
        return {name: sizes[name] for name in names if not (self._snapshot / name).exists()}


def _cached_sizes(repository: str | None, revision: str | None) -> dict[str, int] | None:
    """Sizes of a commit's files by name, as the hub cache remembers them; None where it does not."""
    hub = _hub()
    try:
        return {file.path: file.size for file in hub.get_cached_repo_tree(repository, revision=revision)}
    except hub.errors.CachedRepoTreeNotFoundError:
        return None


@cache
def _sizes(repository: str | None, revision: str | None) -> dict[str, int] | None:
    """The same from the hub, asked once a process; None where it does not answer."""
    hub = _hub()
    try:
        entries = list(hub.HfApi().list_repo_tree(repository, revision=revision, recursive=True))
    except Exception:  # of the hub or the network, which have no common base
        return None
    return {entry.path: entry.size for entry in entries if hasattr(entry, "size")}


def _hub() -> Any:
    """The package ``huggingface_hub``.

    Raises:
        Unavailable: it is not installed.
    """
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
    except ImportError as error:
        raise Unavailable(missing("huggingface_hub")) from error
    return huggingface_hub


def missing(package: str) -> str:
    """The sentence about a package that is not installed."""
    return f"needs the package {package}; install it with: pip install 'evalsuite[diffusers]'"
