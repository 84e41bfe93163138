"""What holds for prompts in files of every kind: content alone counts, and hostile files get a sentence with a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evalsuite import plugins
from evalsuite.errors import Failed, Unavailable
from evalsuite.prompts import _file
from evalsuite.prompts._file import PromptFile

TEXTS = ("A cat.", "Ein Kännchen Öl", "猫と犬 🐈", "#hashtag, with a comma")


def as_text(texts: tuple[str, ...]) -> str:
    return "".join(f"{text}\n" for text in texts)


def as_json(texts: tuple[str, ...]) -> str:
    return "".join(json.dumps({"prompt": text}, ensure_ascii=False) + "\n" for text in texts)


def as_csv(texts: tuple[str, ...]) -> str:
    return "prompt\n" + "".join('"' + text.replace('"', '""') + '"\n' for text in texts)


Write = Callable[[tuple[str, ...]], str]
KINDS: dict[str, Write] = {"text_lines": as_text, "json_lines": as_json, "csv_file": as_csv}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(kind: str, tmp_path: Path) -> Callable[[str | bytes], PromptFile]:
    """A prompt set of one kind with this content."""

    def open_(content: str | bytes) -> PromptFile:
        path = tmp_path / f"prompts.{kind}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        prompts: PromptFile = plugins.find("prompts", kind)(path=path)
        return prompts

    return open_


Opened = Callable[[str | bytes], PromptFile]


def test_texts_in_their_order(opened: Opened, kind: str) -> None:
    prompts = opened(KINDS[kind](TEXTS))
    assert prompts.texts() == TEXTS
    assert prompts.attributes() == {}
    assert prompts.licence == "unknown"


def test_the_fingerprint_is_that_of_the_content_in_whatever_file(tmp_path: Path) -> None:
    found = set()
    for kind, write in KINDS.items():
        path = tmp_path / kind
        path.write_text(write(TEXTS), "utf-8")
        found.add(plugins.find("prompts", kind)(path=path).fingerprint())
    assert len(found) == 1


def test_the_fingerprint_depends_on_texts_and_order(opened: Opened, kind: str) -> None:
    write = KINDS[kind]
    prints = [opened(write(texts)).fingerprint() for texts in (TEXTS, TEXTS[::-1], TEXTS[:-1], (*TEXTS, "A cat."))]
    assert len(set(prints)) == 4


def test_a_file_is_read_anew_once_it_changed(opened: Opened, kind: str) -> None:
    prompts = opened(KINDS[kind](("A cat.",)))
    assert prompts.texts() == ("A cat.",)
    opened(KINDS[kind](("A dog, asleep.",)))
    assert prompts.texts() == ("A dog, asleep.",)


def test_byte_order_marks_and_windows_line_ends(opened: Opened, kind: str) -> None:
    prompts = opened(b"\xef\xbb\xbf" + KINDS[kind](TEXTS).replace("\n", "\r\n").encode())
    assert prompts.texts() == TEXTS


def test_white_space_around_a_prompt_and_empty_lines_are_left_out(opened: Opened, kind: str) -> None:
    content = KINDS[kind](("  A cat. ", "A dog."))
    assert opened(content.replace("\n", "\n\n")).texts() == ("A cat.", "A dog.")


def test_the_same_prompt_twice_is_asked_for_twice(opened: Opened, kind: str) -> None:
    assert opened(KINDS[kind](("A cat.", "A dog.", "A cat."))).texts() == ("A cat.", "A dog.", "A cat.")


def test_a_last_line_without_end(opened: Opened, kind: str) -> None:
    assert opened(KINDS[kind](("A cat.", "A dog.")).removesuffix("\n")).texts() == ("A cat.", "A dog.")


def test_line_marks_that_only_unicode_knows_stay_in_a_prompt(opened: Opened, kind: str) -> None:
    assert opened(KINDS[kind](("A cat\u2028and a dog.",))).texts() == ("A cat\u2028and a dog.",)


def test_not_utf_8(opened: Opened, kind: str) -> None:
    content = KINDS[kind](("A cat.", "A caf\u00e9.")).encode("latin-1")
    with pytest.raises(Failed, match=rf"prompts\.{kind}:[23]: found byte 0xe9 at position \d+, expected text in UTF-8"):
        opened(content).texts()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_unicode_encodings(opened: Opened, kind: str, encoding: str) -> None:
    with pytest.raises(Failed, match=r":1: found byte 0xff at position 1, expected text in UTF-8 \(save it as UTF-8\)"):
        opened(KINDS[kind](TEXTS).encode(encoding)).texts()


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "  \n"])
def test_empty_files(opened: Opened, content: str) -> None:
    with pytest.raises(Failed, match=r"found (no prompt, expected at least one|.*, expected a column 'prompt')"):
        opened(content).texts()


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x07", "\t", "\x85", "\r"])
def test_control_characters_inside(opened: Opened, kind: str, character: str) -> None:
    with pytest.raises(
        Failed, match=rf":[12]: found the control character U\+{ord(character):04X}, expected text in a"
    ):
        opened(KINDS[kind]((f"A cat{character}and a dog.",))).texts()


def test_a_prompt_may_be_long_but_not_endless(opened: Opened, kind: str) -> None:
    assert len(opened(KINDS[kind](("a" * 10_000,))).texts()[0]) == 10_000
    with pytest.raises(Failed, match=r":[12]: found a prompt of 10,001 characters, expected at most 10,000"):
        opened(KINDS[kind](("a" * 10_001,))).texts()


def test_a_line_without_end_is_not_read_whole(opened: Opened, kind: str) -> None:
    with pytest.raises(Failed, match=r":[12]: found a line of more than 1 MiB, expected lines of text"):
        opened(KINDS[kind](("a" * 2**21,))).texts()


def test_too_many(opened: Opened, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_file, "MAX_PROMPTS", 3)
    assert len(opened(KINDS[kind](("a", "b", "c"))).texts()) == 3
    with pytest.raises(Failed, match=r":[45]: found another prompt, expected at most 3 \(take a part of them\)"):
        opened(KINDS[kind](("a", "b", "c", "d"))).texts()


@pytest.mark.parametrize("what", ["nothing", "a folder"])
def test_no_file(kind: str, tmp_path: Path, what: str) -> None:
    path = tmp_path / "prompts"
    if what == "a folder":
        path.mkdir()
    with pytest.raises(Unavailable, match=r"prompts: (No such file|Is a dir).*; set path to a file of prompts"):
        plugins.find("prompts", kind)(path=path).texts()


def test_a_path_is_taken_from_the_suites_folder(kind: str, tmp_path: Path) -> None:
    made = plugins.find("prompts", kind).model_validate({"path": "prompts.txt"}, context={"base": tmp_path})
    assert made.path == tmp_path / "prompts.txt"
