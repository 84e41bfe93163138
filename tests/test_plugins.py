"""From a name to a class: built in by the file's name, from elsewhere by an entry point."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from evalsuite import plugins
from evalsuite.errors import UnknownNameError, UsageError
from evalsuite.models.zoo import Zoo
from evalsuite.targets.cpu import Cpu


@pytest.fixture
def fresh() -> Iterator[None]:
    """Forget what was found, before and after."""
    plugins.names.cache_clear()
    plugins.find.cache_clear()
    yield
    plugins.names.cache_clear()
    plugins.find.cache_clear()


def test_every_name_of_every_room_leads_to_a_class() -> None:
    for room in get_args(plugins.Room):
        for name in plugins.names(room):
            assert isinstance(plugins.find(room, name), type), (room, name)


def test_a_name_is_the_files_name_and_the_class_is_its_camel_case() -> None:
    assert plugins.find("models", "zoo") is Zoo
    assert plugins.find("features", "fashion-cnn").__name__ == "FashionCnn"
    assert plugins.find("datasets", "fashion-mnist").__name__ == "FashionMnist"


def test_contracts_and_support_modules_are_no_plugins() -> None:
    for room in get_args(plugins.Room):
        assert "contract" not in plugins.names(room)
        assert not [name for name in plugins.names(room) if name.startswith(("_", "-"))]


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown model adapter 'zooo'; did you mean 'zoo'") as caught:
        plugins.find("models", "zooo")
    assert caught.value.exit_code == 2


def test_an_entry_point_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    point = importlib.metadata.EntryPoint("mine", "evalsuite.models.zoo:Zoo", "evalsuite.models")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point] if group == "evalsuite.models" else [])
    assert "mine" in plugins.names("models")
    assert plugins.find("models", "mine") is Zoo
    assert "mine" not in plugins.names("metrics")


def test_a_text_makes_an_object_with_its_settings() -> None:
    assert plugins.make("features", "pixels") == plugins.find("features", "pixels")()
    assert plugins.make("targets", "cpu:threads=2,dtype=bfloat16") == Cpu(threads=2, dtype="bfloat16")


def test_values_are_read_as_in_a_suite_file() -> None:
    assert plugins.parse("a:b=1,c=0.5,d=true,e=NaN,f=x:y,g=[1]") == (
        "a",
        {"b": 1, "c": 0.5, "d": True, "e": "NaN", "f": "x:y", "g": "[1]"},
    )


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("pixle", UnknownNameError, "unknown target device 'pixle'"),
        ("cpu:", UsageError, "'cpu:': found '' after the name, expected settings as in cpu:key=value"),
        ("cpu:threads", UsageError, "found 'threads' after the name, expected settings as in cpu:key=value"),
        ("cpu:threads=1,threads=2", UsageError, "found threads for the second time, expected each setting once"),
        ("cpu:thread=1", UnknownNameError, "unknown setting of cpu 'thread'; did you mean 'threads'?"),
        ("cpu:dtype=int3", UsageError, "found dtype=int3, expected 'float32'"),
        ("cpu:threads=0", UsageError, "found threads=0, expected greater than or equal to 1"),
    ],
)
def test_a_text_that_describes_nothing(text: str, kind: type[UsageError], message: str) -> None:
    with pytest.raises(kind, match=re.escape(message)) as caught:
        plugins.make("targets", text)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pixel", "expected an extractor (did you mean 'pixels'?)"),
        ("pixels:size=3", "expected a setting of pixels (there are none)"),
        ("pixels:size", "expected an extractor with settings it takes ('pixels:size': found 'size' after the name, "),
    ],
)
def test_a_validator_refuses_a_text_by_what_it_expected(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        plugins.accepted("features", text)


def test_a_setting_that_must_be_there() -> None:
    with pytest.raises(UsageError, match="'zoo': found no name, which zoo needs; write zoo:name="):
        plugins.make("models", "zoo")


def test_the_hash_of_sources_depends_on_the_rooms() -> None:
    assert plugins.sources_hash("slices") == plugins.sources_hash("slices")
    assert plugins.sources_hash("slices") != plugins.sources_hash("targets")
