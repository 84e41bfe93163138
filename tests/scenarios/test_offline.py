"""Scenario ``offline``: batches of the target's size, or of another."""

from __future__ import annotations

import pytest

from evalsuite import plugins
from evalsuite.errors import UsageError
from tests.scenarios.subjects import Sleeper, batches


@pytest.mark.parametrize(("text", "images"), [("offline", 64), ("offline:batch_size=4", 4)])
def test_images_in_a_call(text: str, images: int) -> None:
    assert plugins.make("scenarios", text).images_per_call(of_target=64) == images


def test_seconds_of_each_batch() -> None:
    sleeper = Sleeper((0.005,))
    seconds = plugins.make("scenarios", "offline").measure(sleeper, batches(3, size=8), 0)[""]
    assert len(seconds) == 3
    assert min(seconds) >= 0.005
    assert [len(ids) for ids in sleeper.calls] == [8, 8, 8]


def test_fewer_rounds_than_a_ratio_needs_are_a_flaw() -> None:
    assert plugins.make("scenarios", "offline").flaw([{"": [1.0]}] * 11).startswith("11 rounds")


def test_batch_without_images_is_refused() -> None:
    with pytest.raises(UsageError, match="found batch_size=0, expected"):
        plugins.make("scenarios", "offline:batch_size=0")
