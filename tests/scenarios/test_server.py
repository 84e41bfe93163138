"""Random requests in real time, to models that sleep for a known time."""

from __future__ import annotations

import time

import numpy as np
import pytest

from evalsuite import plugins
from evalsuite.errors import UsageError
from evalsuite.scenarios._queue import gaps, response_times
from evalsuite.scenarios._serving import serve, wait_until
from evalsuite.scenarios.server import Server
from tests.scenarios.subjects import Sleeper, batches


def noted(response=0.01, service=0.01, calls=4):
    return {"": [response] * calls, "service": [service] * calls}


def test_responses_are_those_of_the_queue_with_the_same_service_times():
    subject, scenario = Sleeper((0.002, 0.006)), Server(rate=200)
    found = scenario.measure(subject, batches(40), seed=7)
    expected = response_times(gaps(40, 7) / 200, np.array(found["service"]))
    # A busy machine can only make a request later than its queue says.
    late = np.array(found[""]) - expected
    assert late.min() > -1e-4
    assert np.median(late) < 0.002
    assert [ids.tolist() for ids in subject.calls] == [[i] for i in range(40)]


def test_a_queue_is_worked_off_in_order_without_rest():
    served = serve(Sleeper((0.005,)), batches(4), np.zeros(4))
    assert served.response == pytest.approx(np.cumsum(served.service), abs=0.002)


def test_the_same_seed_puts_the_same_arrivals_and_another_rate_scales_them():
    found = Server(rate=1000).measure(Sleeper(), batches(5), seed=1)
    assert len(found[""]) == len(found["service"]) == 5
    np.testing.assert_allclose(gaps(5, 1) / 1000 * 2, gaps(5, 1) / 500)


def test_waiting_leaves_the_processor_alone_until_shortly_before():
    begin, worked = time.perf_counter(), time.process_time()
    wait_until(begin + 0.1)
    assert time.perf_counter() - begin >= 0.1
    assert time.process_time() - worked < 0.05
    before = time.perf_counter()
    wait_until(before - 1)
    assert time.perf_counter() - before < 0.05


def test_the_99th_percentile_has_its_values_under_standard():
    for rate in (0.5, 20, 1000):
        pace = Server(rate=rate).pace("standard")
        assert pace.rounds * pace.calls >= 459
        assert pace.calls >= rate
    assert Server(rate=20).pace("ci").calls == 8
    assert Server(rate=20).images_per_call(64) == 1


def test_what_is_not_valid():
    assert Server(rate=20).flaw([noted()] * 12) == ""
    assert "needs 12" in Server(rate=20).flaw([noted()] * 11)
    assert Server(rate=200).flaw([noted()] * 12) == (
        "200 requests arrive a second and the model serves 100: the queue only grows"
    )


@pytest.mark.parametrize("text", ["server", "server:rate=0", "server:rate=-1", "server:rate=inf"])
def test_a_rate_is_needed(text):
    with pytest.raises(UsageError, match="rate"):
        plugins.make("scenarios", text)
