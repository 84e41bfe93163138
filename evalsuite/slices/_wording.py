"""Other wordings of a prompt that ask for the same image, or for the same and something rare.

Written here, since the text augmentation libraries of today are unmaintained, or download models and word nets: these
are a few lines each, need nothing, and follow from a sample's seed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np

Random = np.random.Generator
Rewording = Callable[[str, float, Random], str]
"""From a text, how much of it to change, and the sample's own randomness."""

KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("photo", "photograph", "picture"),
    ("painting", "canvas", "artwork"),
    ("drawing", "sketch"),
    ("big", "large", "huge"),
    ("small", "little", "tiny"),
    ("old", "aged", "ancient"),
    ("young", "youthful"),
    ("beautiful", "lovely", "pretty"),
    ("happy", "cheerful", "joyful"),
    ("sad", "unhappy", "sorrowful"),
    ("fast", "quick", "rapid"),
    ("bright", "vivid", "luminous"),
    ("dark", "gloomy", "dim"),
    ("house", "home", "dwelling"),
    ("car", "automobile"),
    ("bike", "bicycle"),
    ("boat", "vessel"),
    ("plane", "aeroplane", "aircraft"),
    ("road", "street"),
    ("forest", "woods"),
    ("ocean", "sea"),
    ("hill", "mound"),
    ("stone", "rock"),
    ("man", "gentleman"),
    ("woman", "lady"),
    ("child", "kid"),
    ("dog", "hound"),
    ("cat", "feline"),
    ("rabbit", "bunny"),
    ("cup", "mug"),
    ("sofa", "couch"),
    ("table", "desk"),
    ("near", "close to", "beside"),
    ("behind", "in back of"),
    ("above", "over"),
    ("below", "beneath", "under"),
    ("three", "3"),
    ("two", "2"),
    ("four", "4"),
)
"""Words that may stand for one another in a description of an image."""

RARE = (
    "made of glass",
    "made of wool",
    "made of ice",
    "covered in moss",
    "floating in space",
    "under water",
    "on the moon",
    "in a teacup",
    "upside down",
    "wearing a crown",
    "in the colours of a zebra",
    "seen through a keyhole",
)
"""What few images of a training set show of anything."""

FILLER = (
    "as one would see it on any ordinary day",
    "with nothing else that matters",
    "taken just as it is",
    "for those who like to look at such things",
    "in a way that needs no further words",
)
"""Words that ask for nothing."""

HOMOGLYPHS = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
"""Latin letters and the Cyrillic ones that look the same."""


def typos(text: str, share: float, random: Random) -> str:
    """In this share of the words of four letters or more: two letters swapped, one left out, doubled, or a neighbour's
    on the keyboard."""
    return _of_words(text, lambda word: _mistyped(word, random) if random.uniform() < share and len(word) > 3 else word)


def _mistyped(word: str, random: Random) -> str:
    at = int(random.integers(1, len(word) - 1))
    before, letter, after = word[:at], word[at], word[at + 1 :]
    row = next((row for row in KEYBOARD if letter.lower() in row), letter)
    neighbour = row[(row.index(letter.lower()) + 1) % len(row)] if letter.lower() in row else letter
    forms = (before + after, before + letter + letter + after, before + neighbour + after)
    swapped = before[:-1] + letter + before[-1] + after
    return (*forms, swapped)[int(random.integers(len(forms) + 1))]


def synonyms(text: str, share: float, random: Random) -> str:
    """This share of the words that have a synonym in :data:`SYNONYMS` replaced by one."""
    alike = {word: [other for other in group if other != word] for group in SYNONYMS for word in group}

    def replaced(word: str) -> str:
        others = alike.get(word.lower(), [])
        return others[int(random.integers(len(others)))] if others and random.uniform() < share else word

    return _of_words(text, replaced)


def order(text: str, share: float, random: Random) -> str:
    """This share of the words shuffled among their places."""
    words = text.split()
    chosen = np.flatnonzero(random.uniform(size=len(words)) < share)
    shuffled = random.permutation(chosen)
    moved = {int(to): words[source] for to, source in zip(chosen, shuffled, strict=True)}
    return " ".join(moved.get(place, word) for place, word in enumerate(words))


def capitals(text: str, share: float, random: Random) -> str:
    """This share of the words in capitals."""
    return _of_words(text, lambda word: word.upper() if random.uniform() < share else word)


def homoglyphs(text: str, share: float, random: Random) -> str:
    """This share of the words with letters of the Cyrillic script that look like theirs."""
    return _of_words(text, lambda word: word.translate(HOMOGLYPHS) if random.uniform() < share else word)


def fullwidth(text: str, share: float, random: Random) -> str:
    """This share of the words in the wide letters of East Asian typography, which some tokenizers fold and some not."""
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    return _of_words(text, lambda word: word.translate(wide) if random.uniform() < share else word)


def lengthened(text: str, times: float, random: Random) -> str:
    """Followed by words that ask for nothing, until it is so many times as long."""
    words, wanted = text.split(), round(times * max(1, len(text.split())))
    while len(words) < wanted:
        words += FILLER[int(random.integers(len(FILLER)))].split()
    return " ".join(words[:wanted])


def combined(text: str, count: float, random: Random) -> str:
    """With so many things that rarely go together with it, or with each other."""
    rare = [RARE[int(i)] for i in random.permutation(len(RARE))[: int(count)]]
    return ", ".join([unicodedata.normalize("NFC", text), *rare])


def _of_words(text: str, change: Callable[[str], str]) -> str:
    return re.sub(r"\w+", lambda match: change(match[0]), text)


REWORDINGS: dict[str, Rewording] = {
    "typos": typos,
    "synonyms": synonyms,
    "order": order,
    "capitals": capitals,
    "homoglyphs": homoglyphs,
    "fullwidth": fullwidth,
    "longer": lengthened,
    "combined": combined,
}
