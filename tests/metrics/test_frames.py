"""Deadlines, jitter and stalls of frames whose times are given."""

import numpy as np
import pytest

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import TimingInputs
from evalsuite.metrics.deadline_misses import DeadlineMisses
from evalsuite.metrics.jitter import Jitter
from evalsuite.metrics.longest_stall import LongestStall
from evalsuite.records import Family
from tests.metrics.inputs import timing_inputs

FPS = 10.0
SHOWN = [[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.5, 0.6], [0.1, 0.3, 0.5, 0.9]]
DELAYS = [[0.1, 0.1, 0.05, 0.02], [0.1, 0.11, 0.3, 0.05], [0.2, 0.2, 0.2, 0.2]]


def frames(shown=SHOWN, delays=DELAYS):
    (scenario,) = Jitter(fps=FPS).scenarios
    own, times = (timing_inputs(values, scenario).timings[0] for values in (delays, shown))
    return TimingInputs((own, times.model_copy(update={"series": "shown"})))


def test_a_frame_shown_after_the_next_is_released_misses_its_deadline():
    found = DeadlineMisses(fps=FPS).compute(frames())[""]
    assert found.per_sample.tolist() == [0, 0.5, 1]
    assert (found.value, found.family, found.n) == (0.5, Family.MEAN, 3)


def test_jitter_is_the_spread_of_intervals():
    found = Jitter(fps=FPS).compute(frames())[""]
    expected = [np.std(np.diff(shown), ddof=1) for shown in SHOWN]
    np.testing.assert_allclose(found.replicates, expected, atol=1e-12)
    assert found.value == pytest.approx(np.median(expected))


def test_the_longest_stall_of_a_round():
    found = LongestStall(fps=FPS).compute(frames())[""]
    assert found.replicates.tolist() == pytest.approx([0.1, 0.3, 0.4])
    assert found.value == pytest.approx(0.3)
    assert found.n == 9


@pytest.mark.parametrize("metric", [Jitter, LongestStall])
def test_too_few_frames(metric):
    with pytest.raises(Skipped, match="2 frames were shown in a round, and it needs 3; try a lower fps"):
        metric(fps=FPS).compute(frames(shown=[[0.1, 0.2, 0.3], [0.2, 0.5]]))
    with pytest.raises(Skipped, match="realtime:fps=30"):
        metric(fps=30).compute(frames())
