"""The prompts of samples that are there already: given as texts, or in a file of any kind that a prompt set reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalsuite import plugins
from evalsuite.errors import CellError, UsageError
from evalsuite.prompts.contract import PromptSet

SETS = {".txt": "text_lines", ".jsonl": "json_lines", ".csv": "csv_file"}
"""Prompt sets by the suffix of their files."""


def texts_of(prompts: Sequence[str] | str | Path) -> Sequence[str]:
    """The texts that were given, or those of a file.

    Raises:
        UsageError: the file cannot be read, or its suffix tells no kind.
    """
    if not isinstance(prompts, str | Path):
        return prompts
    path = Path(prompts)
    if path.suffix not in SETS:
        raise UsageError(f"prompts: found {path.name}, expected a file ending in {', '.join(SETS)}")
    try:
        found: PromptSet = plugins.find("prompts", SETS[path.suffix])(path=path)
        return found.texts()
    except CellError as error:
        raise UsageError(f"prompts: {error}") from error
