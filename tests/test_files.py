"""Files are written whole or not at all, and a value has one JSON text."""

import pytest

from evalsuite.errors import StoreError
from evalsuite.files import canonical_json, write_atomically


def test_canonical_json_has_one_spelling_and_no_nan():
    assert canonical_json({"b": 1, "a": ["ä"]}) == '{"a":["ä"],"b":1}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))


def test_a_file_that_cannot_be_written_is_said_to_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        write_atomically(tmp_path / "file" / "below", b"content")


def test_a_write_leaves_nothing_else_behind(tmp_path):
    write_atomically(tmp_path / "a" / "b", b"one")
    write_atomically(tmp_path / "a" / "b", b"two")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "a").iterdir()] == [("b", b"two")]
