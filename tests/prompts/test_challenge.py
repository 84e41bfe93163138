"""The bundled prompts: enough of each kind, no two alike, and tags that the words bear out."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from evalsuite import plugins
from evalsuite.prompts.challenge import BUNDLED, Challenge

TEXTS = Challenge().texts()
CHALLENGES = Challenge().attributes()["challenge"]
KINDS = ("counting", "colour", "spatial", "text", "style", "length", "people")

NUMBER = re.compile(r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen)\b", re.IGNORECASE)
COLOUR = re.compile(
    r"\b(red|blue|green|yellow|orange|purple|violet|pink|brown|black|white|grey|turquoise|gold|golden|silver|beige)\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r'"[^"]+"')


def tagged(kind: str) -> set[str]:
    return {text for text, kinds in zip(TEXTS, CHALLENGES, strict=True) if kind in kinds}


def whose_words_have(pattern: re.Pattern[str]) -> set[str]:
    """Prompts in which a pattern occurs outside of the words to be written."""
    return {text for text in TEXTS if pattern.search(QUOTED.sub("", text))}


def test_a_suite_finds_it_by_name() -> None:
    assert plugins.find("prompts", "challenge") is Challenge


def test_there_are_enough_of_each_kind() -> None:
    assert len(TEXTS) >= 240
    counts = Counter(kind for kinds in CHALLENGES for kind in kinds)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 30
    assert all(CHALLENGES), "every prompt says what makes it hard"


def test_no_two_are_alike() -> None:
    words = [re.sub(r"\W+", " ", text.lower()).strip() for text in TEXTS]
    assert len(set(words)) == len(words)


def test_tags_agree_with_the_words() -> None:
    assert whose_words_have(NUMBER) <= tagged("counting")
    assert tagged("counting") <= whose_words_have(NUMBER) | whose_words_have(re.compile("single"))
    assert tagged("colour") == whose_words_have(COLOUR)
    assert tagged("text") == {text for text in TEXTS if QUOTED.search(text)}
    assert tagged("length") == {text for text in TEXTS if not 3 < len(text.split()) <= 30}


def test_quotes_are_closed() -> None:
    assert not [text for text in TEXTS if text.count('"') % 2]


def test_some_are_longer_than_clip_reads() -> None:
    """A word is one token at least, and two of the 77 mark the beginning and the end."""
    assert sum(len(text.split()) >= 76 for text in TEXTS) >= 10


def test_the_column_of_lengths_counts_words() -> None:
    for text, (length,) in zip(TEXTS, Challenge().attributes()["length"], strict=True):
        count = len(text.split())
        assert length == ("short" if count <= 8 else "long" if count > 30 else "medium"), text


@pytest.mark.parametrize("text", TEXTS)
def test_a_prompt_is_a_tidy_text(text: str) -> None:
    assert text.isascii()
    assert text[0].isupper()
    assert text[-1] in '."'
    assert "  " not in text


def test_the_file_holds_nothing_else() -> None:
    lines = BUNDLED.path.read_text("utf-8").splitlines()
    assert len(lines) == len(TEXTS)
    assert all(set(json.loads(line)) == {"prompt", "challenge", "length"} for line in lines)


def test_its_documentation_counts_right() -> None:
    assert f"holds {len(TEXTS)} prompts" in (BUNDLED.path.parent / "README.md").read_text("utf-8")


def test_it_says_where_it_comes_from() -> None:
    assert Challenge().licence == "Apache-2.0"
    assert Challenge().source == "written for evalsuite"
    assert len(Challenge().fingerprint()) == 64
