"""Response times and rates of the server scenarios."""

import numpy as np
import pytest
from pydantic import ValidationError

from evalsuite.errors import Skipped
from evalsuite.metrics.contract import TimingInputs
from evalsuite.metrics.server_latency import ServerLatency
from evalsuite.metrics.server_rate import ServerRate
from tests.metrics.inputs import timing_inputs

ROUNDS = np.random.default_rng(0).exponential(0.05, (12, 39))


def test_percentiles_of_response_times():
    metric = ServerLatency(rate=20)
    (scenario,) = metric.scenarios
    found = metric.compute(timing_inputs(ROUNDS.tolist(), scenario))
    assert tuple(found) == metric.values == ("p50", "p90", "p95", "p99")
    assert found["p99"].value == pytest.approx(np.percentile(ROUNDS, 99))
    np.testing.assert_allclose(found["p90"].replicates, np.percentile(ROUNDS, 90, axis=1))


def test_a_percentile_needs_its_values():
    metric = ServerLatency(rate=20, percentiles=(90, 99))
    found = metric.compute(timing_inputs(ROUNDS[:, :8].tolist(), *metric.scenarios))
    assert found["p90"].n == 96
    assert found["p99"] == "the 99th percentile needs at least 459 values, has 96"


def test_other_rates_are_other_scenarios():
    with pytest.raises(Skipped, match="server:rate=30"):
        ServerLatency(rate=30).compute(timing_inputs(ROUNDS.tolist(), *ServerLatency(rate=20).scenarios))


def test_the_rate_is_the_median_of_the_rounds():
    metric = ServerRate(bound="100 ms", percentile=90)
    assert metric.bound == 0.1
    found = metric.compute(timing_inputs([[20.0], [22.0], [90.0]], *metric.scenarios))[""]
    assert found.value == 22
    assert found.replicates.tolist() == [20, 22, 90]


@pytest.mark.parametrize("metric", [ServerLatency, ServerRate])
def test_what_has_no_sensible_default_is_asked_for(metric):
    with pytest.raises(ValidationError, match="Field required"):
        metric()


def test_nothing_measured():
    with pytest.raises(Skipped, match="server_search"):
        ServerRate(bound=0.1).compute(TimingInputs(()))
