"""What a prompt set is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class PromptSet(Protocol):
    """Texts to generate images from, in a fixed order; a class derived from :class:`evalsuite.settings.Settings`.

    Every method raises Unavailable where the file is not there, and Failed where it is not what it should be.

    Attributes:
        licence: SPDX identifier or name.
        source: where it comes from.
    """

    licence: str
    source: str

    def fingerprint(self) -> str:
        """SHA-256 over texts and attributes in their order, whatever kind of file they lie in."""
        ...

    def texts(self) -> tuple[str, ...]:
        """The prompts, at least one; a text that is there twice is asked for twice."""
        ...

    def attributes(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """By column, each prompt's values: none, one or several. Every column is as long as ``texts``."""
        ...
