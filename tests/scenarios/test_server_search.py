"""The search for the highest rate, on models that sleep for a known time."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.errors import Skipped
from evalsuite.scenarios._queue import gaps, highest_rate
from evalsuite.scenarios.server_search import LEAST_SERVED, ServerSearch
from tests.scenarios.subjects import Sleeper, batches


def measured(subject, scenario, seed=3):
    return scenario.measure(subject, batches(scenario.pace("ci").calls), seed)


def test_it_finds_the_rate_of_a_model_with_constant_service():
    subject, scenario = Sleeper((0.004,)), ServerSearch(bound=0.02, percentile=90)
    found = measured(subject, scenario)
    assert set(found) == {"", "observed", "expected"}
    (rate,) = found[""]
    # The sleep is never shorter than asked for, so the rate is never higher than that of its queue in theory.
    ideal = highest_rate(gaps(44, 3), np.full(44, 0.004), 90, 0.02)
    assert 0.5 * ideal < rate <= 1.0001 * ideal
    assert len(subject.calls) == LEAST_SERVED + 44


def test_the_trial_goes_as_the_queue_in_theory():
    found = measured(Sleeper((0.005,)), ServerSearch(bound=0.03, percentile=50))
    (observed,), (expected,) = found["observed"], found["expected"]
    # What holds the process up outside the model can only make responses later.
    assert 0.999 * expected <= observed < 1.5 * expected


def test_no_rate_keeps_a_bound_that_a_request_alone_breaks():
    with pytest.raises(Skipped, match=r"no rate keeps the bound of 0.002 s: a request alone takes 0\.0"):
        measured(Sleeper((0.005,)), ServerSearch(bound=0.002, percentile=50))


def test_what_is_not_valid():
    scenario = ServerSearch(bound=0.1, percentile=90)

    def flaw(observed, rounds=12):
        return scenario.flaw([{"": [20.0], "observed": [observed], "expected": [0.1]}] * rounds)

    assert flaw(0.104) == ""
    assert flaw(0.106) == (
        "the 90th percentile of the trials was 1.06 times that of a queue with the same service times: something held "
        "the process up between requests"
    )
    assert "needs 12" in flaw(0.1, rounds=6)


def test_it_is_written_in_a_line():
    scenario = plugins.make("scenarios", "server_search:bound=100 ms,percentile=90")
    assert (scenario.bound, scenario.percentile) == (0.1, 90)
    assert scenario.pace("standard").calls == LEAST_SERVED + 44
    assert ServerSearch(bound=1).pace("standard").calls == LEAST_SERVED + 459
    assert scenario.images_per_call(64) == 1
