"""Lines of text: all of them are prompts."""

from __future__ import annotations

from pathlib import Path

from evalsuite.prompts.text_lines import TextLines


def test_there_are_no_comments(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text('#sunset over the bay\n\n// not code\n"A sign"\n', "utf-8")
    assert TextLines(path=path).texts() == ("#sunset over the bay", "// not code", '"A sign"')
