"""A text file with one prompt a line."""

from __future__ import annotations

from collections.abc import Iterator

from evalsuite.prompts._file import PromptFile, Row, lines


class TextLines(PromptFile):
    """One prompt a line, in UTF-8; empty lines are left out.

    There are no comments: a line is a prompt whatever it begins with, such as ``#sunset over the bay``.
    """

    source: str = "a local text file"

    def rows(self) -> Iterator[Row]:
        """The lines that are not empty."""
        return (Row(number, line) for number, line in lines(self.path) if line.strip())
