"""The bundled prompts: what text-to-image models still get wrong, in plain sentences that a person can check."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from evalsuite.prompts.json_lines import JsonLines
from evalsuite.settings import Settings

BUNDLED = JsonLines(path=Path(__file__).parent / "data" / "challenge.jsonl")


class Challenge(Settings):
    """Prompts in English that were written for evalsuite; a person can say of each whether a picture shows it.

    Columns: ``challenge`` (one or several of ``counting``, ``colour``, ``spatial``, ``text``, ``style``, ``length``,
    ``people``) and ``length`` (``short`` for up to 8 words, ``long`` for more than 30, else ``medium``).
    """

    licence: ClassVar[str] = "Apache-2.0"
    source: ClassVar[str] = "written for evalsuite"

    def fingerprint(self) -> str:
        """SHA-256 over texts and attributes in their order."""
        return BUNDLED.fingerprint()

    def texts(self) -> tuple[str, ...]:
        """The prompts."""
        return BUNDLED.texts()

    def attributes(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """``challenge`` and ``length`` of each prompt."""
        return BUNDLED.attributes()
