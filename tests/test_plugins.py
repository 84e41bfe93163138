"""From a name to a class: built in by the file's name, from elsewhere by an entry point."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import get_args

import pytest

from evalsuite import plugins
from evalsuite.errors import UnknownNameError
from evalsuite.models.zoo import Zoo


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


def test_the_hash_of_sources_depends_on_the_rooms() -> None:
    assert plugins.sources_hash("slices") == plugins.sources_hash("slices")
    assert plugins.sources_hash("slices") != plugins.sources_hash("targets")
