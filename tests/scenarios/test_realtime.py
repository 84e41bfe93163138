"""Frames by the clock: which are dropped, and when each is shown."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.scenarios.realtime import Realtime, Shown, delays
from tests.scenarios.subjects import Sleeper, batches


def test_each_frame_waits_until_it_or_a_newer_one_is_shown():
    """At 10 fps, work of 0.25 s: frames 1 and 4 are never begun."""
    shown = [Shown(0, 0.25), Shown(2, 0.5), Shown(5, 0.75)]
    expected = [0.25, 0.4, 0.3, 0.45, 0.35, 0.25]
    assert delays(shown, 6, 10) == pytest.approx(expected)


def test_frames_beyond_the_last_have_no_value():
    assert delays([Shown(0, 0.3), Shown(3, 0.6)], 2, 10) == pytest.approx([0.3, 0.5])


def test_a_model_in_time_shows_every_frame():
    subject = Sleeper((0.002,))
    found = Realtime(fps=20).measure(subject, batches(10), seed=0)
    assert len(found[""]) == 10
    assert min(found[""]) >= 0.002
    assert found["shown"] == sorted(found["shown"])
    assert len(subject.calls) == len(found["shown"]) <= 10


def test_a_slow_model_drops_frames_and_works_on_the_newest():
    """At 100 fps with 25 ms of work, 2 or 3 frames are released while one is made."""
    subject = Sleeper((0.025,))
    found = Realtime(fps=100).measure(subject, batches(20), seed=0)
    assert len(found[""]) == 20
    assert len(found["shown"]) <= 9
    assert np.diff(found["shown"]).min() >= 0.025
    # Every frame that was not begun is shown by a newer one, which takes longer than its own work.
    assert min(found[""]) >= 0.025
    assert max(found[""]) >= 0.034


def test_a_turn_lasts():
    assert Realtime(fps=30).pace("standard").calls == 30
    assert Realtime(fps=5).pace("standard").calls == 24
    assert Realtime(fps=5).pace("ci").rounds == 12
    assert Realtime(fps=5).images_per_call(64) == 1


def test_what_is_not_valid():
    assert Realtime(fps=30).flaw([{"": [0.01]}] * 12) == ""
    assert "needs 12" in Realtime(fps=30).flaw([{"": [0.01]}] * 6)
