"""The page about datasets and prompts: every name is there, its fragments are right, and so are its examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from evalsuite import plugins
from evalsuite.prompts.csv_file import CsvFile
from evalsuite.prompts.json_lines import JsonLines
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "datasets.md").read_text("utf-8")
FRAGMENTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def block(language: str) -> str:
    """The page's only block in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def listed() -> list[str]:
    return re.findall(r"^\| `([\w-]+)` \| ", PAGE, re.MULTILINE)


def test_every_dataset_and_prompt_set_is_listed() -> None:
    names = [*plugins.names("datasets"), *plugins.names("prompts")]
    assert sorted(name for name in listed() if name not in ("dataset", "set")) == sorted(names)


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragments_are_right(fragment: str) -> None:
    ((section, settings),) = yaml.safe_load(fragment).items()
    room: plugins.Room = "prompts" if section == "prompts" else "datasets"
    plugin = plugins.find(room, settings.pop("set" if section == "prompts" else "dataset"))
    plugin.model_validate(settings)


def test_each_has_a_fragment() -> None:
    assert all(
        any(f": {name}" in fragment for fragment in FRAGMENTS) for name in listed() if name not in ("dataset", "set")
    )


def test_two_files_with_the_same_prompts(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(block("json"), "utf-8")
    (tmp_path / "a.csv").write_text(block("csv"), "utf-8")
    lines, table = JsonLines(path=tmp_path / "a.jsonl"), CsvFile(path=tmp_path / "a.csv")
    assert lines.texts() == table.texts() == ("Two green apples", 'A sign that says "Open"')
    assert lines.attributes() == table.attributes()
    assert lines.fingerprint() == table.fingerprint()


def test_the_number_of_bundled_prompts() -> None:
    assert f"holds {len(plugins.find('prompts', 'challenge')().texts())} prompts" in PAGE
