"""The queue in theory: closed forms of queueing theory, and a recursion written out."""

from __future__ import annotations

import numpy as np
import pytest

from evalsuite.scenarios._queue import gaps, highest_rate, response_times

N = 200_000


def test_arrivals_are_a_poisson_process_that_follows_from_the_seed():
    between = gaps(N, 0)
    assert between.mean() == pytest.approx(1, rel=0.01)
    assert between.std() == pytest.approx(1, rel=0.01)
    np.testing.assert_array_equal(between, gaps(N, 0))
    assert not np.array_equal(gaps(10, 0), gaps(10, 1))


def test_the_recursion_is_lindleys():
    random = np.random.default_rng(0)
    between, service = random.exponential(size=500), random.uniform(0, 1.8, 500)
    waiting, expected = 0.0, []
    for i in range(500):
        expected.append(waiting + service[i])
        if i + 1 < 500:
            waiting = max(0.0, waiting + service[i] - between[i + 1])
    np.testing.assert_allclose(response_times(between, service), expected, atol=1e-12)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_the_mean_wait_of_constant_service(load):
    """M/D/1: the mean waiting time is load * S / (2 (1 - load)) (Pollaczek and Khinchine)."""
    waiting = response_times(gaps(N, 1) / load, np.ones(N)) - 1
    assert waiting.mean() == pytest.approx(load / (2 * (1 - load)), rel=0.04)


def test_percentiles_of_exponential_service():
    """M/M/1: response times are exponential with rate mu - lambda."""
    load = 0.5
    response = response_times(gaps(N, 2) / load, np.random.default_rng(3).exponential(size=N))
    for percentile in (50, 90, 99):
        assert np.percentile(response, percentile) == pytest.approx(
            -np.log(1 - percentile / 100) / (1 - load), rel=0.04
        )


def test_the_highest_rate_of_exponential_service():
    """M/M/1 keeps the bound b at percentile p up to the rate mu - ln(1 / (1 - p)) / b."""
    service = np.random.default_rng(5).exponential(0.01, N)
    rate = highest_rate(gaps(N, 4), service, 90, 0.1)
    assert rate == pytest.approx(100 - np.log(10) / 0.1, rel=0.02)


def test_the_highest_rate_reaches_the_bound_and_no_more():
    between, service = gaps(500, 0), np.random.default_rng(0).uniform(0.008, 0.012, 500)
    rate = highest_rate(between, service, 95, 0.03)
    assert np.percentile(response_times(between / rate, service), 95) == pytest.approx(0.03)
    assert np.percentile(response_times(between / (1.001 * rate), service), 95) > 0.03


def test_no_rate_is_above_what_the_worker_can_serve():
    assert highest_rate(gaps(20, 0), np.full(20, 0.01), 90, 60.0) == pytest.approx(100)


def test_no_rate_keeps_a_bound_that_one_request_breaks():
    assert highest_rate(gaps(20, 0), np.full(20, 0.01), 90, 0.009) is None
